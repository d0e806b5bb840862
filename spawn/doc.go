// Package spawn boots processes from scratch: it starts this same program
// again, hands it two pipes, and hears from it that it is up. It is also the
// child's side of the same. It knows nothing of messages, restarts or waiting.
//
// A process started here has nothing to undo: it copied no memory, no
// goroutines, no signal handlers. What a Unix process inherits all the same
// is put right before main: file descriptors that were not meant for it,
// ignored signals, the signal mask, two environment variables.
//
//	func main() {
//		if birth := spawn.Inherited(); birth != nil {
//			birth.Hello()
//			io.Copy(birth.Outbox, birth.Inbox)
//			return
//		}
//		p, err := spawn.Start(&spawn.Command{Name: "echo"})
//		…
//		defer p.Close()
//		err = p.Hello(ctx)
//		…
//		p.Inbox.Write(…)
//	}
//
// # Handshake
//
//	parent                                        child
//	------                                        -----
//	Start:
//	  pipes, crash memory
//	  fork on a spawner thread, exec  ---------->  package init, before main:
//	  close the child's ends                         read and unset PROGENY_BIRTH, restore GOMAXPROCS
//	                                                 take fds 3, 4, 5…; close all that was not declared
//	                                                 ignored signals back to default
//	                                                 crash output to fd 5
//	Process.Hello:                                 main:
//	  read exactly one Hello              <------    Birth.Hello   (or Birth.Refuse: main did not boot)
//	  check magic, versions, build, status
//	TakeInbox, TakeOutbox                 <----->  Birth.Inbox, Birth.Outbox: whatever the two agreed on
//
// Hello is one msgpack bin 8 value, so that it reads as a frame like those that
// follow it, with an array inside:
//
//	["progeny", lowest version, highest version, build (bin, 16 bytes), status]
//
// Status is 0 for ready and 1 for not booted. Elements beyond the fifth are
// ignored. The child writes it with one write, and the parent reads not a byte
// beyond it.
//
// # File descriptors of the child
//
//	0  /dev/null
//	1  write end, blocking, of Process.Stdout
//	2  write end, blocking, of Process.Stderr
//	3  read end of Process.Inbox
//	4  write end of Process.Outbox
//	5  crash memory, until it is the runtime's crash output
//	6… Command.Files, in order
//
// All from 3 on are close-on-exec as soon as package init has run. A
// descriptor that the host opened without close-on-exec reaches the child, and
// is closed there; what has close-on-exec set was opened by the child itself,
// such as the runtime's epoll instance, and stays.
//
// # Environment
//
// PROGENY_BIRTH is set by Start and unset in the child before main; a process
// that does not understand its value, or lacks the descriptors it announces,
// says so on standard error and exits with status 70. GOMAXPROCS
// is [Command.Procs] when the Go runtime of the child starts, and back to what
// the environment said for everything that the child starts in turn.
//
// # Signals
//
// The child leads a process group of its own, so a terminal's interrupt does
// not reach it. Handlers never cross an exec. Ignored signals would (the Go
// runtime leaves an inherited SIG_IGN of SIGHUP, SIGINT and the terminal stop
// signals alone): package init resets them by rt_sigaction behind the
// runtime's back, so [os/signal.Ignored] still answers true for SIGHUP and
// SIGINT, though they are not. The mask is empty because each spawner thread
// empties its own before its first fork. In a host that was itself started with
// signals blocked, these can therefore be delivered on these threads.
//
// # Limits of the crash memory
//
// [Process.CrashText] is what the Go runtime prints when the program panics or
// fails. It costs the parent a mapping, not a descriptor, and never blocks the
// dying process. The first line of a fatal error that is no panic ("fatal
// error: concurrent map writes") is printed by the runtime to standard error
// only; the crash text has the stacks that follow it. After 64 KiB the text is
// cut off, so a panic whose value is a huge string has no stack.
// A program that calls [runtime/debug.SetCrashOutput] itself takes the text away.
//
// # Linux notes
//
// A process with a [Command].Sandbox is started by a thread that is confined itself, one for
// each policy, and so is confined from its first instruction on, before the runtime
// and any package init. Only what would keep that thread from starting processes is left
// for the child's package init, by PROGENY_SANDBOX: to refuse new processes and namespaces.
// Packages that are initialised before this one (they do not import it, their paths sort before
// its own, or they are needed by what it imports) can still start processes in their init, confined
// like themselves. Of policies that no process has any more, 8 keep their threads.
//
// The program is started through /proc/self/exe: a file replaced on disk
// changes nothing for a running program. The child gets SIGKILL when the parent
// dies (prctl(2), PR_SET_PDEATHSIG). This signal is bound to the thread that
// forked, not to the process, which is why every fork happens on one
// goroutine that stays locked to its thread.
//
// # macOS notes
//
// There is no signal on the parent's death; children notice the end of
// their inbox. The program is started by its path, and a file replaced on disk
// since the start is noticed by its build. The crash memory is an unlinked temporary
// file, which costs a descriptor and is not bounded against a child that
// writes to it on purpose. The signal mask is inherited.
//
// # Windows notes
//
// Start returns [errors.ErrUnsupported].
package spawn
