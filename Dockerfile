# The image of the agent: its programs, Node.js, and a static BusyBox for the set-up and the probes of a pod.
#
#   docker build --build-arg VERSION=0.1.0 --tag ghcr.io/holdfast-dns/holdfast:0.1.0 .
#
# Every base is an argument. The defaults are tags, which move: a release passes both distroless images by digest, as
# `--build-arg BASE_IMAGE=gcr.io/distroless/cc-debian13@sha256:...`, and `docker buildx imagetools inspect NAME:TAG` prints the digest of a tag.
# Distroless' Node.js is its `cc` image (glibc, libstdc++, CA certificates) plus /nodejs. The image starts from `cc`, because Node.js is copied
# to get a file capability, and would otherwise be in it twice (50 MiB more to pull on every node).
#
# Other bases: NODE_IMAGE needs /nodejs/bin/node (24.12 or newer), BASE_IMAGE the libraries which that one is linked to, BUILD_IMAGE
# Debian with npm. `node scripts/build-image.ts` builds this file where no registry can be reached, with two differences: BASE_IMAGE has
# the libraries of the machine, and a directory takes the place of the stage `parts` (`--build-context parts=DIR`), in which the same
# image/assemble.sh put the checkout's dist and the Node.js that npm installed. All that follows that stage is the same.
ARG BUILD_IMAGE=docker.io/library/node:24-trixie-slim
ARG NODE_IMAGE=gcr.io/distroless/nodejs24-debian13:latest
ARG BASE_IMAGE=gcr.io/distroless/cc-debian13:latest

FROM ${NODE_IMAGE} AS node

FROM ${BUILD_IMAGE} AS parts
RUN apt-get update \
  && apt-get install --yes --no-install-recommends busybox-static libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build
COPY --from=node /nodejs /rootfs/nodejs
RUN sh image/assemble.sh /rootfs

# Here, because the cache is valid for one path, one user and one Node.js: those of the image.
FROM ${BASE_IMAGE} AS baked
COPY --from=parts /rootfs/nodejs /nodejs
COPY --from=parts /rootfs/bake /bake
COPY --from=parts --chown=65532:65532 /rootfs/app /app
USER 65532:65532
RUN ["/nodejs/bin/node", "/bake/bake-compile-cache.cjs"]

FROM ${BASE_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="holdfast" \
  org.opencontainers.image.description="Per-node service discovery for Kubernetes that keeps answering DNS when CoreDNS, the API server, or both are down" \
  org.opencontainers.image.source="https://github.com/holdfast-dns/holdfast" \
  org.opencontainers.image.url="https://github.com/holdfast-dns/holdfast" \
  org.opencontainers.image.documentation="https://github.com/holdfast-dns/holdfast#readme" \
  org.opencontainers.image.vendor="Holdfast" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
# From what never changes to what changes with each release: a node that upgrades pulls the last layer.
COPY --from=parts /rootfs/nodejs /nodejs
COPY --from=parts /rootfs/busybox /busybox
COPY --from=baked --chown=0:0 /app /app
ENV PATH=/busybox:/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  MALLOC_ARENA_MAX=1
# A number: Kubernetes cannot tell whether a name is root.
USER 65532:65532
STOPSIGNAL SIGTERM
# The V8 flags are those of bin/holdfast.cjs, which starts itself again to get them; a test compares the two lists.
ENTRYPOINT ["/nodejs/bin/node", \
  "--max-semi-space-size=1", \
  "--no-maglev", \
  "--no-turbofan", \
  "--no-use-osr", \
  "--invocation-count-for-turbofan=20000", \
  "--no-short-builtin-calls", \
  "--expose-gc", \
  "/app/bin/holdfast.cjs"]
CMD ["agent"]
