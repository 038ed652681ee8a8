/** What reading one value gives: the value, or what is wrong with the text in a few words. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };
