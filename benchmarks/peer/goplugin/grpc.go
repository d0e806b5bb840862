package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// bytesOf64 has 64 bytes when it is encoded: two of them say that it is bytes, and how many.
const bytesOf64 = 62

type grpcPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (*grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&service, nil)
	return nil
}

func (*grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return &grpcClient{conn: c, ping: bench.NewFrame(bytesOf64)}, nil
}

// service is what protoc would write of a service with a call and a stream towards the server.
var service = grpc.ServiceDesc{
	ServiceName: "bench.Worker",
	Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		m := &wrapperspb.BytesValue{}
		return m, decode(m)
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Flood", ClientStreams: true, Handler: sink}},
}

// sink counts what a stream brings, and answers with the tally.
func sink(_ any, stream grpc.ServerStream) error {
	var seen bench.Tally
	for {
		m := &wrapperspb.BytesValue{}
		switch err := stream.RecvMsg(m); {
		case errors.Is(err, io.EOF):
			answer := &wrapperspb.StringValue{Value: fmt.Sprintf("%d %d", seen.Got, seen.Bad)}
			return stream.SendMsg(answer)
		case err != nil:
			return err
		}
		seen.Frame(m.Value)
	}
}

type grpcClient struct {
	plugged
	conn *grpc.ClientConn
	ping []byte
}

func (c *grpcClient) Call(ctx context.Context) error {
	got := &wrapperspb.BytesValue{}
	err := c.conn.Invoke(ctx, "/bench.Worker/Echo", &wrapperspb.BytesValue{Value: c.ping}, got)
	if err == nil && !bytes.Equal(got.Value, c.ping) {
		err = fmt.Errorf("the echo of %x is %x", c.ping, got.Value)
	}
	return err
}

func (c *grpcClient) Use(ctx context.Context) error { return c.Call(ctx) }

func (c *grpcClient) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, c.Call)
}

// Flood uses a stream, gRPC's quickest way in one direction.
func (c *grpcClient) Flood(ctx context.Context, n, size int) (t bench.Tally, err error) {
	stream, err := c.conn.NewStream(ctx, &service.Streams[0], "/bench.Worker/Flood")
	if err != nil {
		return t, err
	}
	if size == 64 {
		size = bytesOf64
	}
	f := bench.NewFrame(size) // it is encoded before SendMsg returns
	for i := range n {
		bench.Number(f, uint64(i))
		if err := stream.SendMsg(&wrapperspb.BytesValue{Value: f}); err != nil {
			return t, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return t, err
	}
	answer := &wrapperspb.StringValue{}
	if err := stream.RecvMsg(answer); err != nil {
		return t, err
	}
	_, err = fmt.Sscan(answer.Value, &t.Got, &t.Bad)
	return t, err
}
