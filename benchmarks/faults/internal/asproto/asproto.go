// Package asproto is for the systems that send protobufs between processes.
package asproto

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

// Message makes a protobuf of a message: its data, or the rest.
func Message(m scene.Message) (any, error) {
	if m.Data != nil {
		return wrapperspb.Bytes(m.Data), nil
	}
	text, err := json.Marshal(m)
	return wrapperspb.String(string(text)), err
}

// Question returns what is answered with a report.
func Question() any { return &emptypb.Empty{} }

// Handle has the Worker handle what was received. The reply is nil if there is none.
func Handle(w *scene.Worker, received any) (reply any) {
	switch p := received.(type) {
	case *wrapperspb.BytesValue:
		w.Handle(scene.Message{Data: p.Value}) // Do is empty: it is counted
	case *wrapperspb.StringValue:
		var m scene.Message
		if json.Unmarshal([]byte(p.Value), &m) == nil {
			w.Handle(m)
		}
	case *emptypb.Empty:
		if text, err := json.Marshal(w.Report()); err == nil {
			return wrapperspb.String(string(text))
		}
	}
	return nil
}

// Report reads the reply.
func Report(reply any, err error) (r scene.Report, _ error) {
	if err != nil {
		return r, err
	}
	p, ok := reply.(*wrapperspb.StringValue)
	if !ok {
		return r, fmt.Errorf("the reply is %v", reply)
	}
	return r, json.Unmarshal([]byte(p.Value), &r)
}
