package actor_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/spawn"
)

// The environment tells an enemy what to do. Whoever has no birth is what an enemy has left
// behind, and lives until the file is gone.
const (
	hostileAttack = "PROGENY_TEST_HOSTILE"
	hostileLeft   = "PROGENY_TEST_HOSTILE_LEFT"
)

// An enemy is a process that speaks the protocol by hand. It runs before main, so that nothing of an
// honest actor does.
func init() {
	name := os.Getenv(hostileAttack)
	if name == "" {
		return
	}
	birth := spawn.Inherited()
	if birth == nil {
		leftBehind(name)
	}
	for _, c := range hostileCases {
		if c.name == name {
			c.attack(&enemy{birth: birth, random: rand.New(rand.NewPCG(1, 2))})
			stay()
		}
	}
	os.Exit(99)
}

// stay waits for the node to decide.
func stay() { time.Sleep(time.Hour) }

type enemy struct {
	birth  *spawn.Birth
	random *rand.Rand
	page   *mailbox.Page
	memory []byte // the same, by hand
	in     *mailbox.Reader
	out    *mailbox.Writer
	init   wire.Init
	arg    hostileArg
	corr   uint64
	plain  bool // it does not use the ring: what it does not read would tell it of room
}

// hostileArg is who is there to be hurt.
type hostileArg struct {
	Victim, Deaf, Peer codec.ID
}

const (
	hostilePageMemory = 4096 + 2*hostileRing
	hostileRing       = 256 << 10
)

// begin says Hello and waits for Init.
func (e *enemy) begin() {
	need(e.birth.Hello())
	e.open()
	f, err := e.in.Next()
	need(err)
	var env codec.Envelope
	need(codec.DecodeEnvelope(f.Bytes, &env))
	need(codec.Decode(env.Payload, &e.init))
	need(codec.Decode(e.init.Arg, &e.arg))
	e.corr = e.init.Incarnation << 40
}

func (e *enemy) open() {
	var err error
	e.page, err = mailbox.OpenPage(e.birth.Files[0])
	need(err)
	conn, err := e.birth.Files[0].SyscallConn()
	need(err)
	need(conn.Control(func(fd uintptr) {
		e.memory, err = unix.Mmap(int(fd), 0, hostilePageMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}))
	need(err)
	e.in = mailbox.NewReader(e.birth.Inbox, math.MaxInt32)
	e.out = mailbox.NewWriter(e.birth.Outbox, mailbox.WriterConfig{Ring: e.page.Outbox()})
	e.in.UseRing(e.page.Inbox(), e.out)
}

// rise is begin as far as Ready.
func (e *enemy) rise() {
	e.begin()
	e.put(codec.Envelope{Kind: wire.KindReady}, nil)
	need(e.out.Flush(context.Background()))
}

// put sends a frame as an honest process does: by the pipe, then by the ring.
func (e *enemy) put(env codec.Envelope, body any) { e.send(hostileFrame(env, body)) }

func (e *enemy) send(frame []byte) {
	if e.plain {
		e.raw(frame)
		return
	}
	need(e.out.Put(context.Background(), frame))
}

// raw writes to the pipe.
func (e *enemy) raw(b []byte) {
	_, err := e.birth.Outbox.Write(b)
	need(err)
}

// serve reads all that comes, and acknowledges nothing.
func (e *enemy) serve(handle func(env *codec.Envelope)) {
	go e.in.Serve(func(f mailbox.Frame) error {
		var env codec.Envelope
		if err := codec.DecodeEnvelope(f.Bytes, &env); err == nil {
			handle(&env)
		}
		return nil
	})
}

func (e *enemy) ignore() { e.serve(func(*codec.Envelope) {}) }

// obey answers as an honest actor does.
func (e *enemy) obey() {
	done := int64(0)
	e.serve(func(env *codec.Envelope) {
		switch env.Kind {
		case wire.KindAsk:
			done++
			_ = e.out.Put(context.Background(), hostileFrame(codec.Envelope{Kind: wire.KindReply, Corr: env.Corr, Deadline: done, Type: []byte("string")}, "x"))
		case wire.KindTell:
			done++
		}
	})
}

// next is a correlation that was not used.
func (e *enemy) next() uint64 {
	e.corr++
	return e.corr
}

// service asks the node.
func (e *enemy) service(name string, body any) {
	e.put(codec.Envelope{Kind: wire.KindAsk, Corr: e.next(), Type: []byte(name)}, body)
}

// word is one of the page.
func (e *enemy) word(offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&e.memory[offset]))
}

func (e *enemy) noise(n int) []byte {
	b := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], e.random.Uint64())
	}
	return b
}

// need has the process wait for its end: the node has closed a pipe, or soon will.
func need(err error) {
	if err != nil {
		println("the enemy:", err.Error())
		stay()
	}
}

func hostileFrame(env codec.Envelope, body any) []byte {
	var b []byte
	var err error
	if body == nil {
		b, err = codec.AppendFrame(nil, &env, 1<<30)
	} else {
		b, err = codec.AppendMessage(nil, &env, body, 1<<30)
	}
	need(err)
	return b
}

// leave starts a process in a session of its own, with the enemy's pipes and page, and ends.
func (e *enemy) leave(attack string) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), hostileAttack+"="+attack)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{e.birth.Inbox, e.birth.Outbox, e.birth.Files[0]}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, err := cmd.StdinPipe() // it says when it is there
	need(err)
	_ = r
	need(cmd.Start())
}

// leftBehind is what leave starts: the descriptors are 3, 4 and 5.
func leftBehind(name string) {
	file := os.Getenv(hostileLeft)
	go func() {
		for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(2 * time.Millisecond) {
			if _, err := os.Stat(file); err != nil {
				break
			}
		}
		os.Exit(0)
	}()
	memory, err := unix.Mmap(5, 0, hostilePageMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	need(err)
	e := &enemy{memory: memory, random: rand.New(rand.NewPCG(1, 2))}
	bells := []byte(strings.Repeat("\xc1\xc0", 512))
	switch name {
	case "left: silent":
		stay()
	case "left: bells":
		for range 8 {
			go func() {
				for {
					syscall.Write(4, bells)
				}
			}()
		}
		stay()
	case "left: frames":
		for f := hostileFrame(codec.Envelope{Kind: 99}, 1); ; {
			syscall.Write(4, f)
		}
	case "left: ring":
		// Always as much as may be there, and each frame is one of an unknown kind.
		f := hostileFrame(codec.Envelope{Kind: 99, Type: []byte(strings.Repeat("t", 45))}, nil)
		for i := range hostileRing / 64 {
			copy(e.memory[4096+hostileRing+64*i:], f)
		}
		for {
			head := e.word(ringOutbox + ringHead).Load()
			e.word(ringOutbox + ringTail).Store(head + hostileRing)
		}
	}
	os.Exit(98)
}

// Where the words are: see docs/protocol.md.
const (
	pageBegun    = 64
	pageFinished = 128
	pageNotes    = 256
	ringInbox    = 2048
	ringOutbox   = 2048 + 192

	ringTail   = 0
	ringOrigin = 8
	ringShort  = 16
	ringHead   = 64
	ringAsleep = 128
)
