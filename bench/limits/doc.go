// Package limits measures what the machine can do at best, so that the rate of
// a kernel can be given as a share of it: the peak of fused multiply-adds per
// element type and instruction set, and the bandwidth of streams through a
// given amount of memory, on one thread or several.
//
// The loops are assembly on amd64 and arm64 and Go elsewhere. A limit is the
// best of several short rounds, and of several loops where more than one way
// could be the fastest (ordinary stores, and stores past the caches).
package limits
