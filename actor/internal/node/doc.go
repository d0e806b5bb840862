// Package node is the host program's side of the actor system: it starts the
// processes, routes every message between them, keeps names and monitors, and
// tells why a process ended.
//
// One Node stands behind each actor.System. What it is made of:
//
//	Cell      one logical actor: its address, mailbox, unanswered Asks, monitors
//	process   one operating-system process of it: boot, exit, flight recorder
//	link      the goroutine that reads what this process writes, and routes it
//	channel   the credit that one process has with one destination
//	Inbox     an address of the host program itself
//	logs      the bounded queue in front of the program's logger
//
// Locks: a Cell's, a link's and the Node's mutex are never held two at a time,
// and none is held while a frame is written or a callback runs. A link's
// goroutine never waits for another actor: a message whose mailbox is full
// waits in that mailbox's queue, bounded by the sender's window.
package node
