// Package raylog is the persistent log: records of 4096 bytes in a ring that
// describes itself. The format is described in docs/on-disk.md.
//
// A record lies at the place that its sequence number gives it, and has all that
// is needed to judge it: a magic, a version, the log that it belongs to, and a
// checksum over the whole. There is no header that could be ahead of the records,
// or behind them. [Open] finds the newest record by looking at some of them.
//
// [Ring.Append] keeps records in memory, and [Ring.Flush] writes them in large
// pieces; a record of level [Warn] and above is on the medium when Append
// returns. When to flush is the caller's business: the package has no clock. A
// Ring is for one goroutine at a time.
package raylog
