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
// A newcomer needs Define, On, Main, Spawn, Ask and nothing else.
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
// and Asks alike. Between different senders there is no order. A message is
// handled at most once, one at a time. A handler's error is the reply of an
// Ask; of a Tell it is logged and counted. A panic is not recovered: the
// process dies.
//
// A mailbox is bounded in messages and bytes. A full one makes the sender wait,
// up to its context, or refuses with [ErrMailboxFull], as the [Spec] says. The
// count is of messages not yet finished, so a slow actor holds up those who
// send to it, and nobody else.
//
// # Ends
//
// A [Down] comes after everything the actor had written, exactly once for each
// monitor, and its name is free by then. An Ask to an actor that is dead, or
// dies meanwhile, fails with its [DownError]. A [DeliveryError] says what is
// known of the message. [System.Close] stops everything in reverse order of
// start within a bound, and when the program itself is killed, so are its
// actors: by the kernel on Linux, by the closed pipe everywhere.
//
// # Platforms
//
// Linux is complete; it needs /proc. macOS lacks the kernel's help against orphans: an actor
// that spins in C when the program is killed lives on until it returns. On
// other systems Spawn fails with an error that wraps errors.ErrUnsupported.
package actor
