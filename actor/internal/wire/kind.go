package wire

import (
	"time"

	"github.com/progeny-go/progeny/codec"
)

// The kinds of frames. The numbers are part of the protocol.
const (
	// Init tells a new process what it is. Payload: [Init].
	KindInit codec.Kind = 1
	// Ready says that the start function has returned. No payload.
	KindReady codec.Kind = 2
	// Tell is a message without a reply. With a correlation it asks for an
	// acknowledgement: an empty Reply once the mailbox has taken it, or Fail.
	KindTell codec.Kind = 3
	// Ask is a message that is answered by a Reply or a Fail.
	KindAsk codec.Kind = 4
	// Reply answers the Ask (or the Tell) with the same correlation.
	KindReply codec.Kind = 5
	// Fail is a reply that is an error. Without a correlation it is the start
	// function's error before Ready, and after it that of a Tell's handler.
	// Payload: [Failure].
	KindFail codec.Kind = 6
	// Cancel says that the asker of this correlation has given up.
	KindCancel codec.Kind = 7
	// Stop asks the process to end after the message in progress.
	KindStop codec.Kind = 8
	// Goodbye is the last frame of a process that ends of its own will.
	// Payload: [Goodbye].
	KindGoodbye codec.Kind = 9
	// Ack counts the messages that the process has finished. Payload: uint.
	KindAck codec.Kind = 10
	// Credit gives back room for Tells and Asks to To. Payload: [Credit].
	KindCredit codec.Kind = 11
	// Log carries one record of the actor's logger. Payload: [Record].
	KindLog codec.Kind = 12
	// Recycle asks the process to end after the message in progress, so that a fresh one
	// takes its place.
	KindRecycle codec.Kind = 13
	// Ping asks for a sign of life: the correlation, written to the page's beat. To a standby it says that
	// Init is about to come.
	KindPing codec.Kind = 14
)

// The node's services: an Ask whose destination is the zero ID has one of
// these as its message type.
const (
	ServiceSpawn     = "node.spawn"     // [Child] → codec.ID
	ServiceLookup    = "node.lookup"    // string → codec.ID
	ServiceMonitor   = "node.monitor"   // [MonitorRequest] → nothing
	ServiceDemonitor = "node.demonitor" // [MonitorRequest] → nothing
	ServiceLink      = "node.link"      // codec.ID → nothing
	ServiceUnlink    = "node.unlink"    // codec.ID → nothing
	ServiceExit      = "node.exit"      // [ExitRequest] → nothing
	ServiceStop      = "node.stop"      // codec.ID → nothing, when it has ended
	ServiceKill      = "node.kill"      // codec.ID → nothing, when it has ended
	ServiceTimer     = "node.timer"     // [TimerRequest] → bool: there was one to replace or cancel

	ServiceStartChild     = "node.start_child"     // [ChildRequest] → codec.ID
	ServiceTerminateChild = "node.terminate_child" // [ChildRequest] → nothing
	ServiceRestartChild   = "node.restart_child"   // [ChildRequest] → nothing
	ServiceDeleteChild    = "node.delete_child"    // [ChildRequest] → nothing
	ServiceChildren       = "node.children"        // codec.ID → [][ChildInfo]
)

// The message types of what the node itself sends to actors: a [Down] and an [Exited],
// each wrapped in a bin.
const (
	DownType = "github.com/progeny-go/progeny/actor.Down"
	ExitType = "github.com/progeny-go/progeny/actor.Exit"
)

// The window: how much of what a process has sent to one destination may not
// yet have been taken in by that destination's mailbox. The sender waits when
// it holds WindowMessages, or WindowBytes or more; so WindowBytes may be
// exceeded by one message. The node gives credit back in quarters.
const (
	WindowMessages = 1024
	WindowBytes    = 4 << 20
)

// ForwardSlack is how much larger than the limit a frame may be that is passed
// on: the sender's address and another correlation are written into it.
const ForwardSlack = 64

// MaxMonitors is how many monitors one process may hold.
const MaxMonitors = 1 << 16

// MaxChildren is how many actors and supervisors there may be under one that is started.
const MaxChildren = 4096

// MaxUnder is how many actors and supervisors there may be under one actor, and MaxUnderBytes how
// large their arguments and environments may be in all.
const (
	MaxUnder      = 1 << 15
	MaxUnderBytes = 128 << 20
)

// MaxRecord is how large a record of an actor's logger may be, in bytes of msgpack.
const MaxRecord = 1 << 20

// MaxServices is how many services that take time, from node.spawn on, the node does for one process at once.
const MaxServices = 4096

// MaxAsks is how many Asks of one process may be unanswered.
const MaxAsks = 1 << 16

// MaxTimers is how many timers one actor may have, MaxTimerBytes how large their messages
// may be in all (exceeded by at most one), MinTimer how often each may be due, and MaxTimerRate how
// often in a second all those may be that are due again and again.
const (
	MaxTimers     = 1 << 16
	MaxTimerRate  = 10_000
	MaxTimerBytes = 32 << 20
	MinTimer      = time.Millisecond
)
