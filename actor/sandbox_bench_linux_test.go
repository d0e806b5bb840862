package actor_test

import (
	"context"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// BenchmarkSpawnSandbox compares starts; the actor is stopped again.
func BenchmarkSpawnSandbox(b *testing.B) {
	for _, c := range []struct {
		name    string
		sandbox actor.Sandbox
	}{
		{"none", actor.Sandbox{}},
		{"privileges", actor.Sandbox{NoNewPrivileges: true}},
		{"network", actor.Sandbox{NoNetwork: true}},
		{"listed", actor.Sandbox{Files: actor.ListedFiles}},
		{"processes", actor.Sandbox{NoProcesses: true}},
		{"system calls", actor.Sandbox{Syscalls: true}},
		{"strict", actor.Strict()},
		{"namespaces", actor.Sandbox{Namespaces: actor.PIDNamespace | actor.NetNamespace}},
	} {
		b.Run(c.name, func(b *testing.B) {
			sys := actortest.New(b, actor.Options{})
			jail(b, sys, c.sandbox) // the first one makes the thread
			b.ReportAllocs()
			for b.Loop() {
				ref := jail(b, sys, c.sandbox)
				b.StopTimer()
				if err := ref.Kill(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
