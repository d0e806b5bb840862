//go:build unix

package node

import (
	"testing"

	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/reaper"
	"github.com/progeny-go/progeny/spawn"
)

// unborn is a standby that nobody has taken, without a process: enough to end.
func unborn() *process {
	p := newProcess(&Node{})
	p.os, p.page, p.logs = &spawn.Process{}, &mailbox.Page{}, &capture{proc: p}
	p.greeted = make(chan struct{})
	close(p.greeted)
	return p
}

// A process that has closed its pipes has one time limit to exit, from the first of them on, and none after its exit.
func TestOverstay(t *testing.T) {
	p := unborn()
	p.closed("outbox")
	limit := p.overstay
	if limit == nil {
		t.Fatal("it may live for ever")
	}
	p.closed("inbox")
	if p.overstay != limit {
		t.Error("its second pipe gives it more time")
	}
	p.hasExited(reaper.Exit{})
	if limit.Stop() {
		t.Error("it is to be killed after its exit")
	}
	<-p.buried
}

func TestOverstayAfterExit(t *testing.T) {
	p := unborn()
	p.hasExited(reaper.Exit{})
	<-p.buried
	if p.closed("outbox"); p.overstay != nil {
		t.Error("it is to be killed after its exit")
	}
}

// The link ends with its pipe. It does not wait for the exit, for the burial waits for the link.
func TestLinkEndsBeforeExit(t *testing.T) {
	s := newStage(t)
	defer s.strike()
	p := s.self.proc
	go p.link.run()
	s.out.Close()
	<-p.link.done
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.overstay == nil || !p.overstay.Stop() {
		t.Errorf("the link has waited for the exit: %+v", p.verdict)
	}
}
