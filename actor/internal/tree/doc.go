// Package tree is supervision as a pure state machine: Erlang/OTP's supervisor,
// on actors that are processes. It has no clock, does no I/O, starts no
// goroutine and is deterministic: the same events at the same times have the
// same effects.
//
//	t := tree.New(tree.Config{Random: rand.Float64})
//	for event := range events {
//		for _, effect := range t.Step(now(), event) {
//			execute(effect) // Boot, Stop, Reply; the others are for observers
//		}
//		at, ok := t.Next() // when to send a Tick, if nothing comes before
//	}
//
// What goes in are requests (StartChild and the like) and reports of what became
// of processes; what comes out are orders and news:
//
//	Boot{ID, Inc} ──> Ready | Ignored | Exited
//	Stop{ID, Inc} ──> Exited
//	StartChild, TerminateChild, RestartChild, DeleteChild ──> Reply
//	Added ─> (Started | Declined ─> Ended ─> Restarting …) ─> Gone
//
// One Tree holds all there is: the root, which supervises nobody; under it
// supervisors and actors, each on its own; under supervisors their children; and
// under actors what those have started themselves. A process never lives longer
// than what it is under, and there are never two of one actor.
//
// # States
//
// What happens to an actor or supervisor, its incarnation, by its state. A dash
// means that the event cannot come, or is of another time, and is ignored.
//
//	            Stopped    Booting     Running      Stopping   Dead       Waiting
//	start       Booting    –           –            –          –          Booting
//	Ready       –          Running     –            –          –          –
//	Ignored     –          Stopped     as Exited    Stopped    –          –
//	Exited      –          failed      died         Stopped    –          –
//	turn        –          –           –            –          died       Booting
//	Tick, due   –          –           –            kill¹      –          turn
//	Terminate   Stopped    kill        Stopping     Stopping   Stopped    Stopped
//	group       Booting²   kill        Stopping     Stopping   Stopped    Stopped
//	end         Stopped    kill        Stopping     Stopping   Stopped    Stopped
//	Restart     Booting    ErrRunning  ErrRunning   ErrRunning later⁴     ErrRestarting
//	Delete      gone       ErrRunning  ErrRunning   ErrRunning later⁴     ErrRestarting
//	StartChild³ ErrPresent ErrStarted  ErrStarted   ErrStarted later⁴     ErrPresent
//
// died: Dead, and when the supervisor is not busy Waiting if the kind of child
// and the reason call for a restart and the budget has one, Stopped otherwise.
// failed: the same, if it was an attempt to restart; if it was the first start,
// the request, or the start of the whole supervisor, has failed. kill: Stopping,
// by a Stop with Kill. turn: the supervisor gets to it. group: a restart of
// siblings takes it along; end: its supervisor or parent ends.
//
// ¹ of supervisors with a Shutdown, all that is left under them.
// ² after the stops, with all that are stopped; temporary ones are dropped.
// ³ of another child by the same name.
// ⁴ in the queue, behind the death: when the supervisor has dealt with that.
//
// # Supervisors
//
// One that is not dynamic does one thing at a time, and keeps what comes
// meanwhile in a queue:
//
//	            idle               starting or restarting      ending
//	child died  restart | leave    queue; stopped if its turn  as told
//	                               to be stopped comes first
//	retry due   restart            queue                       –
//	StartChild  start              ErrStarted, ErrPresent at   ErrNotRunning
//	                               once; queue otherwise
//	Restart     start              queue                       ErrNotRunning
//	Terminate   stop               at once; a boot is aborted  wait for the end
//	Delete      drop               at once                     drop
//	end, kill   stop children      at once; the queue is       kill overrides
//	                               answered ErrNotRunning      end
//
// Dynamic supervisors, actors and the root do not mind their children's
// siblings: there each starts, dies and restarts for itself, and all stop at the
// same time (the root's: one after the other).
//
// # Differences from OTP
//
//   - The supervisor answers while a child boots, or hangs in it, and a stop
//     aborts the boot. A dynamic one starts many children at a time.
//   - A recycled actor is started again whatever its kind: at no cost to a budget, without a
//     backoff, and without its siblings.
//   - Times are exact, not whole seconds. Restarts may be delayed, and given up
//     for causes that they cannot mend. A group's other members are stopped at
//     once, and wait with the one whose delay it is.
//   - Children that are listed in a specification remain who they are (by ID)
//     when their supervisor is restarted.
//   - An actor or supervisor may be under an actor, or under nothing.
//   - Restart's zero value is transient. A supervisor that gives up ends with
//     reason shutdown, as in OTP: its own supervisor restarts it only if it is
//     permanent.
//
// As in OTP, and surprising at times: a group restart also starts children that
// were stopped by hand; TerminateChild of the child in a restart loop ends the
// loop, and leaves those stopped that would have started after it; nested
// supervisors that have not yet been told to stop go on until they are.
package tree
