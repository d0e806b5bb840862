// Package actor runs actors that are operating-system processes.
//
// An actor type is a plain struct. Its handlers are methods, listed once in
// [Define]; the list is its protocol. [System.Spawn] starts one: a process of
// its own, booted from scratch from the same executable, with nothing of the
// parent's memory, goroutines, file descriptors or signal handlers in it. One
// talks to it through its [Ref], with [Ref.Tell] and [Ask]. Whatever kills it
// (a panic in any goroutine, a concurrent map write, a stack overflow, a
// segmentation fault in C, an os.Exit in a library, a SIGKILL) kills it alone,
// and [System.Monitor] tells why.
//
//	type Greeter struct{}
//
//	type Hello struct{ Name string }
//
//	func (*Greeter) Hello(c *actor.Context, m Hello) (string, error) {
//		return fmt.Sprintf("hello %s from process %d", m.Name, os.Getpid()), nil
//	}
//
//	var greeter = actor.Define("greeter", actor.Zero[Greeter], actor.On((*Greeter).Hello))
//
//	func main() {
//		actor.Main(func(ctx context.Context, sys *actor.System) error {
//			ref, err := sys.Spawn(ctx, greeter)
//			if err != nil {
//				return err
//			}
//			reply, err := actor.Ask[string](ctx, ref, Hello{"gopher"})
//			fmt.Println(reply)
//			return err
//		})
//	}
//
// A newcomer needs Define, On, Main, Spawn, Ask and nothing else. An actor that
// crashes is restarted, up to 3 times in 5 seconds, under the same Ref.
//
// # One executable, two lives
//
// The process of an actor runs the same executable up to [Boot], which [Main]
// calls first. There it becomes the actor and does not return. So main must
// call Main, or Boot before anything that is not to happen in actors, and
// tests call Boot in TestMain; types are defined in package variables, so that
// they exist by then. A main that forgets it does no harm: [NewSystem] fails
// with [ErrNotBooted] in the new process, and Spawn reports that.
//
// # Order and delivery
//
// What one sender sends to one receiver arrives in the order of sending, Tells
// and Asks alike, also across restarts of the receiver. Between different senders
// there is no order. A handler's error is the reply of an Ask; of a Tell it is
// logged and counted. A panic is not recovered: the process dies.
//
// Messages are handled one at a time, each at most once. The mailbox survives the
// process: after a crash, a SIGKILL included, the next process gets all messages
// that the dead one had not begun, in order. The one in progress is the suspect: it
// is not handled again but becomes a dead letter, and its Ask fails with the
// [DownError]. (Spec.Redeliver has it tried again, a limited number of times.) What
// is left when an actor has ended for good are dead letters, too; see
// [System.DeadLetters].
//
// An Ask to an actor that is just being restarted waits for the next process, as
// long as its asker does; Spec.Asks can say otherwise. A Tell waits in the mailbox.
//
// A mailbox is bounded in messages and bytes. A full one makes the sender wait,
// up to its context, or refuses with [ErrMailboxFull], as the [Spec] says. The
// count is of messages not yet finished, so a slow actor holds up those who
// send to it, and nobody else.
//
// # Supervision
//
// A [Ref] is the address of the logical actor, which may be one process after the
// other: its incarnations. Whether there is a next one is decided by the rules of
// Erlang/OTP's supervisors. Spec.Restart says after which ends: [Transient], the
// default, after abnormal ones only, [Permanent] after all, [Temporary] after none.
// Each new process starts with the same argument and a fresh state. Spec.Intensity
// and Period say how many restarts are too many, Spec.Backoff how long to wait before
// each, and [Type.Fatal] which ends no restart mends. [Ref.Stop] and [Ref.Kill] are
// always for good.
//
// What System.Spawn starts without a supervisor is supervised by itself alone: over
// its limit that actor ends, and nothing else. A [Supervisor] has a list of
// children, a strategy (restart the one that died, all, or those after it) and one
// limit for all of them. Over that it gives up, stops them and ends: then its own
// supervisor decides. A [Pool] is a supervisor of equal workers behind one Ref.
// Supervisors nest, so that a tree is a literal. They have Refs like actors, run no
// user code and need no process. Children come and go by [Ref.StartChild] and its
// like; [Ref.Children] shows them.
//
// An actor may spawn others ([Context.Spawn]): they end with its process, and the
// next one begins without.
//
// For those who want to know, [System.Monitor] and [Context.Monitor] tell of the
// next death of a process, and whether another one follows; [System.Watch] and
// [Context.Watch] tell of the end for good; a link ([Context.Link]) makes the end of
// another one's own, or a message ([Exit]); [System.Events] tells everything.
//
// # Ends
//
// A [Down] comes after everything the process had written, exactly once for each
// monitor; if it tells of the end for good, the name is free by then. An Ask to an
// actor that is dead, or dies of it, fails with its [DownError]. A [DeliveryError]
// says what is known of the message. [System.Close] stops everything in reverse order of
// start within a bound, and when the program itself is killed, so are its
// actors: by the kernel on Linux, by the closed pipe everywhere.
//
// # Platforms
//
// Linux is complete; it needs /proc. macOS lacks the kernel's help against orphans: an actor
// that spins in C when the program is killed lives on until it returns. On
// other systems Spawn fails with an error that wraps errors.ErrUnsupported.
package actor
