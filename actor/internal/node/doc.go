// Package node is the host program's side of the actor system: it starts the
// processes, routes every message between them, keeps names and monitors, drives
// supervision, and tells why a process ended.
//
// One Node stands behind each actor.System. What it is made of:
//
//	supervision  drives the tree, which decides, and carries out what it says
//	member       one actor's or supervisor's place in the tree
//	Cell         one logical actor: its address, mailbox, unanswered Asks, timers
//	process      one incarnation of it: boot, exit, flight recorder
//	link         the goroutine that reads what this process writes, and routes it
//	channel      the credit that one process has with one destination
//	standbys     processes that have booted and wait to be told what they are
//	supervisor   the address of a supervisor; a pool's passes messages on (picker)
//	timers       those of one actor
//	Inbox        an address of the host program itself
//	senders      the channels that lead to one target
//	audience     who waits for an end: monitors, watches, links
//	feed         who wants to see events and dead letters
//	logs         the bounded queue in front of the program's logger
//
// The end of a process, step by step:
//
//	reaper ─> process.bury: drain its pipes, detach the mailbox, write the flight recorder
//	       ─> supervision.step(Exited) ─> tree ─> Ended{Restarting}
//	             true:  Cell.pause   the suspect is dealt with, the rest waits; Downs; Boot
//	             false: Cell.finish  dead letters, failed Asks, name free, Downs
//
// Locks: supervision.mu is taken first, and held while the tree's orders are carried
// out, none of which waits. A Cell's, a link's, an audience's and the other mutexes are
// never held two at a time, and none of those is held while a frame is written or a
// callback runs; but link.signals is, so that an Unlink is final. A link's goroutine never waits for another actor: a message whose mailbox is
// full waits in that mailbox's queue, bounded by the sender's window.
package node
