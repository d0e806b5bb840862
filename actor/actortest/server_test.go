package actortest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

func TestMain(m *testing.M) {
	actor.Boot()
	os.Exit(m.Run())
}

// page is a request's path; its handler answers with it and its process.
type page struct{ Path string }

// fetch is answered with what an HTTP server says.
type fetch struct{ URL string }

type worker struct{}

func (*worker) Page(_ *actor.Context, m page) (string, error) {
	return fmt.Sprint(m.Path, " from ", os.Getpid()), nil
}

func (*worker) Fetch(_ *actor.Context, m fetch) (string, error) {
	resp, err := http.Get(m.URL)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

var workers = actor.Define("worker", actor.Zero[worker], actor.On((*worker).Page), actor.On((*worker).Fetch))

// A server starts a child for each request, and its client is a child too. It
// stands here because net/http makes a binary, and so each of its actors,
// slower to start: the tests of package actor do without.
func TestServerWithAChildPerRequest(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ref, err := sys.Spawn(r.Context(), workers)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := actor.Ask[string](r.Context(), ref, page{r.URL.Path})
		if err == nil {
			err = ref.Stop(r.Context())
		}
		if err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	client, err := sys.Spawn(t.Context(), workers)
	if err != nil {
		t.Fatal(err)
	}
	pids := make(map[int]bool)
	for i := range 3 {
		answer, err := actor.Ask[string](t.Context(), client, fetch{fmt.Sprintf("%s/response/%d", server.URL, i)})
		if err != nil {
			t.Fatal(err)
		}
		var n, pid int
		if _, err := fmt.Sscanf(answer, "/response/%d from %d", &n, &pid); err != nil || n != i || pids[pid] {
			t.Errorf("request %d: got %q (%v), and it must be a process of its own", i, answer, err)
		}
		pids[pid] = true
	}
}
