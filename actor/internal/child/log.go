package child

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// Logger returns a logger whose records reach the program's own, structured.
// It never blocks: when the pipe is too full, records are dropped and counted,
// and the next that gets through says how many.
func (c *Child) Logger() *slog.Logger { return slog.New(&logHandler{child: c}) }

// A logHandler sends records to the node.
type logHandler struct {
	child  *Child
	scopes []scope // groups and attributes, outermost first
}

// scope is one WithGroup, or the attributes of one WithAttrs.
type scope struct {
	group string
	attrs []slog.Attr
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return int(level) >= h.child.init.LogLevel
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return &logHandler{h.child, append(slices.Clip(h.scopes), scope{attrs: attrs})}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &logHandler{h.child, append(slices.Clip(h.scopes), scope{group: name})}
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var attrs []wire.Attr
	r.Attrs(func(a slog.Attr) bool {
		attrs = appendAttr(attrs, a)
		return true
	})
	for _, s := range slices.Backward(h.scopes) {
		if s.group != "" {
			if len(attrs) > 0 {
				attrs = []wire.Attr{{Key: s.group, Group: attrs}}
			}
			continue
		}
		var outer []wire.Attr
		for _, a := range s.attrs {
			outer = appendAttr(outer, a)
		}
		attrs = append(outer, attrs...)
	}
	if n := h.child.logDropped.Swap(0); n > 0 {
		attrs = append(attrs, wire.Attr{Key: "dropped_before", Value: n})
	}
	return h.child.log(wire.Record{Time: r.Time, Level: int(r.Level), Message: r.Message, Attrs: attrs})
}

func (c *Child) log(r wire.Record) error {
	f := mailbox.NewBuffer()
	defer func() { f.Free() }()
	var err error
	f.Bytes, err = codec.AppendMessage(f.Bytes, &codec.Envelope{Kind: wire.KindLog}, &r, c.init.FrameLimit)
	if err == nil {
		err = c.out.TryPut(f.Bytes)
	}
	if err != nil {
		c.logDropped.Add(1)
	}
	return err
}

// appendAttr adds a in the form it travels in, as slog's own handlers would
// print it.
func appendAttr(out []wire.Attr, a slog.Attr) []wire.Attr {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() != slog.KindGroup {
		return out
	}
	switch v.Kind() {
	case slog.KindGroup:
		var group []wire.Attr
		for _, g := range v.Group() {
			group = appendAttr(group, g)
		}
		if a.Key == "" {
			return append(out, group...)
		}
		if len(group) == 0 {
			return out
		}
		return append(out, wire.Attr{Key: a.Key, Group: group})
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindString:
		return append(out, wire.Attr{Key: a.Key, Value: v.Any()})
	case slog.KindTime:
		return append(out, wire.Attr{Key: a.Key, Value: v.Time().Round(0)})
	case slog.KindDuration:
		return append(out, wire.Attr{Key: a.Key, Value: v.Duration().String()})
	}
	return append(out, wire.Attr{Key: a.Key, Value: anyText(v.Any())})
}

// anyText is how a value of no kind of its own is logged.
func anyText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case []byte:
		return string(v)
	}
	return fmt.Sprintf("%+v", v)
}
