// Package wire is the vocabulary that the node and its actor processes speak:
// the kinds of frames, the bodies they carry, and the names of the node's own
// services. docs/protocol.md is its normative text; codec puts it into bytes.
//
// Who sends what:
//
//	node                                        actor process
//	  │  <── Hello ────────────────────────────────  │  (package spawn)
//	  │  ─── Init ─────────────────────────────────> │
//	  │  <── Ready | Fail ─────────────────────────  │
//	  │  ─── Tell, Ask, Reply, Fail, Cancel ───────> │
//	  │  <── Tell, Ask, Reply, Fail, Cancel, Log ──  │
//	  │  ─── Credit ───────────────────────────────> │
//	  │  <── Ack ──────────────────────────────────  │
//	  │  ─── Stop ─────────────────────────────────> │
//	  │  <── Goodbye ──────────────────────────────  │
//
// A frame of a kind that is not listed here is skipped by both sides, so that
// a later version may add some.
package wire
