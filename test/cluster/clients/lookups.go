// lookups.ts for the resolver of Go (built without cgo): the same lines.
//
// usage: lookups LOOKUPS_PER_SECOND NAME=IPV4...
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type totals struct {
	Done       int     `json:"done"`
	Failed     int     `json:"failed"`
	Wrong      int     `json:"wrong"`
	Over100Ms  int     `json:"over100Ms"`
	Over1000Ms int     `json:"over1000Ms"`
	LongestMs  float64 `json:"longestMs"`
}

func main() {
	var lock sync.Mutex
	var sums totals
	look := func(pair string) {
		name, expected, _ := strings.Cut(pair, "=")
		start := time.Now()
		addresses, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip4", name)
		tookMs := float64(time.Since(start).Microseconds()) / 1000
		lock.Lock()
		defer lock.Unlock()
		sums.Done++
		if err != nil {
			sums.Failed++
		} else if addresses[0].Unmap().String() != expected {
			sums.Wrong++
		}
		if tookMs > 100 {
			sums.Over100Ms++
		}
		if tookMs > 1000 {
			sums.Over1000Ms++
		}
		sums.LongestMs = max(sums.LongestMs, tookMs)
	}
	perSecond, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	go func() {
		for range time.Tick(time.Second) {
			lock.Lock()
			line, _ := json.Marshal(sums)
			sums.LongestMs = 0
			lock.Unlock()
			fmt.Println(string(line))
		}
	}()
	made := 0
	for range time.Tick(time.Second / time.Duration(perSecond)) {
		go look(os.Args[2+made%(len(os.Args)-2)])
		made++
	}
}
