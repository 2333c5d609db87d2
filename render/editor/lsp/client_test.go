package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creachadair/jrpc2"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// example copies the example distribution, whose upstream is in a mirror, and
// returns its directory and that of the mirror.
func example(t testing.TB) (dir, cache string) {
	t.Helper()
	if real, err := filepath.EvalSymlinks(t.TempDir()); err == nil {
		dir = filepath.Join(real, "harbor")
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "..", "testdata", "example"))); err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(filepath.Dir(dir), "cache")
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store, err := fedora.Open(fedora.Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := &render.Renderer{Project: p, Store: store}
	for _, name := range p.Names() {
		if name == "driftwood" {
			continue
		}
		c, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Source(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return dir, cache
}

// options are those of the command, over a mirror.
func options(t testing.TB, cache string) Options {
	store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return optionsOf(store, cache)
}

func optionsOf(store *fedora.Store, cache string) Options {
	return Options{Version: "test", Quiet: time.Millisecond, Deep: time.Millisecond, Editor: editor.Options{
		Codes: slices.Concat(components.Codes, editor.Codes),
		Renderer: func(p *components.Project) (*render.Renderer, error) {
			return &render.Renderer{Project: p, Store: store, CacheDir: cache}, nil
		},
	}}
}

// A client is an editor that does what a script says.
type client struct {
	t     testing.TB
	rpc   *jrpc2.Client
	dir   string
	done  chan error
	close func()

	mu        sync.Mutex
	cond      *sync.Cond
	settled   map[*session]int // the version that all diagnostics are of
	published map[*session]int // what the server has sent until then
	received  int
	texts     map[string]*buffer.Text
	versions  map[string]int
	diags     map[string]publishParams
	asked     []string          // requests and notifications of the server
	progress  []string          // what it says of its work, under the titles that it gave
	titles    map[string]string // of work that has not ended, by token
	awaited   string            // the method of a request, and who waits until it is sent
	sent      chan json.RawMessage
	gate      *sync.RWMutex // held while nothing may be rendered; nil for none
	files     map[string]string
}

const defaultCapabilities = `{
	"general": {"positionEncodings": ["utf-16"]},
	"window": {"workDoneProgress": true},
	"workspace": {"workspaceEdit": {"documentChanges": true, "resourceOperations": ["create", "rename", "delete"]}, "didChangeWatchedFiles": {"dynamicRegistration": true}},
	"textDocument": {"publishDiagnostics": {"relatedInformation": true}}}`

// start starts a server and a client that has opened a folder, or several.
func start(t testing.TB, dir string, opt Options, capabilities string, folders ...string) *client {
	t.Helper()
	// Pipes of the system have a buffer, as an editor's have: with none, both
	// ends could wait for each other to read.
	fromClient, toServer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromServer, toClient, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, dir: dir, done: make(chan error, 1), texts: map[string]*buffer.Text{}, versions: map[string]int{},
		settled: map[*session]int{}, published: map[*session]int{}, diags: map[string]publishParams{}, files: map[string]string{}, titles: map[string]string{}}
	c.cond = sync.NewCond(&c.mu)
	opt.settled = func(ses *session, version, published int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.settled[ses], c.published[ses] = version, published
		c.cond.Broadcast()
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := Serve(ctx, fromClient, toClient, opt)
		toClient.Close()
		fromClient.Close()
		c.done <- err
	}()
	c.rpc = jrpc2.NewClient(ordered{newChannel(fromServer, toServer), c}, &jrpc2.ClientOptions{OnCallback: c.called,
		OnCancel: func(cli *jrpc2.Client, rsp *jrpc2.Response) {
			_ = cli.Notify(context.Background(), "$/cancelRequest", map[string]any{"id": json.RawMessage(rsp.ID())})
		}})
	var once sync.Once
	c.close = func() {
		once.Do(func() {
			toServer.Close()
			fromServer.Close()
			cancel()
			c.rpc.Close()
		})
	}
	t.Cleanup(c.close)
	if capabilities == "" {
		capabilities = defaultCapabilities
	}
	var res json.RawMessage
	params := map[string]any{"rootUri": pathURI(dir), "capabilities": json.RawMessage(capabilities)}
	if len(folders) > 0 {
		var list []any
		for _, f := range folders {
			list = append(list, map[string]any{"uri": pathURI(c.path(f)), "name": filepath.Base(c.path(f))})
		}
		params["workspaceFolders"] = list
	}
	c.call("initialize", params, &res)
	c.notify("initialized", struct{}{})
	return c
}

// An ordered channel hands notifications over in the order in which they come,
// and before what comes after them; the library's client does not.
type ordered struct {
	*channel
	c *client
}

func (o ordered) Recv() ([]byte, error) {
	for {
		msg, err := o.channel.Recv()
		if err != nil {
			return msg, err
		}
		var m struct {
			ID     json.RawMessage
			Method string
			Params json.RawMessage
		}
		if json.Unmarshal(msg, &m) != nil || m.Method == "" || m.ID != nil {
			return msg, nil
		}
		o.c.notified(m.Method, m.Params)
	}
}

// Send tells the client when a request that it waits for is on its way.
func (o ordered) Send(msg []byte) error {
	err := o.channel.Send(msg)
	var m struct {
		ID     json.RawMessage
		Method string
	}
	if json.Unmarshal(msg, &m) == nil {
		o.c.mu.Lock()
		defer o.c.mu.Unlock()
		if o.c.sent != nil && m.Method == o.c.awaited {
			o.c.sent <- m.ID
			o.c.sent = nil
		}
	}
	return err
}

func (c *client) notified(method string, params json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch method {
	case "textDocument/publishDiagnostics":
		var p publishParams
		if err := json.Unmarshal(params, &p); err == nil {
			c.diags[uriPath(p.URI)] = p
			c.received++
			c.cond.Broadcast()
		}
	case "$/progress":
		c.worked(params)
	default:
		c.asked = append(c.asked, method+" "+string(params))
	}
}

// worked keeps what the server says of its work. Tokens count what was tried, so
// they are no part of it.
func (c *client) worked(params json.RawMessage) {
	var p struct {
		Token string
		Value struct{ Kind, Title, Message string }
	}
	if err := json.Unmarshal(params, &p); err != nil {
		c.t.Errorf("$/progress: %v", err)
		return
	}
	title, known := c.titles[p.Token]
	switch {
	case p.Value.Kind == "begin" && !known:
		title = p.Value.Title
		c.titles[p.Token] = title
	case p.Value.Kind == "end" && known:
		delete(c.titles, p.Token)
	default:
		c.t.Errorf("progress out of order: %s", params)
	}
	c.progress = append(c.progress, strings.TrimSpace(fmt.Sprintf("%s %s %s", p.Value.Kind, title, p.Value.Message)))
	c.cond.Broadcast()
}

// until waits until something holds of what was received.
func (c *client) until(what string, holds func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(time.Minute)
	timer := time.AfterFunc(time.Minute, c.cond.Broadcast)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !holds() {
		if time.Now().After(deadline) {
			c.t.Fatalf("the server never says %s", what)
		}
		c.cond.Wait()
	}
}

// called answers requests of the server; edits are applied to what is open and
// kept for the others.
func (c *client) called(_ context.Context, req *jrpc2.Request) (any, error) {
	c.mu.Lock()
	c.asked = append(c.asked, req.Method()+" "+req.ParamString())
	c.cond.Broadcast()
	c.mu.Unlock()
	if req.Method() != "workspace/applyEdit" {
		return nil, nil
	}
	var p struct {
		Edit workspaceEdit `json:"edit"`
	}
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	c.show(io.Discard, &p.Edit)
	return map[string]any{"applied": true}, nil
}

func (c *client) call(method string, params, result any) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rsp, err := c.rpc.Call(ctx, method, params)
	if err == nil {
		err = rsp.UnmarshalResult(result)
	}
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	if err := c.rpc.Notify(context.Background(), method, params); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

// settle waits until the server has said all that it has to say.
func (c *client) settle() {
	c.t.Helper()
	// What was sent before has arrived when a request was answered.
	var res json.RawMessage
	c.call("workspace/symbol", map[string]any{"query": "\x00"}, &res)
	deadline := time.Now().Add(time.Minute)
	timer := time.AfterFunc(time.Minute, c.cond.Broadcast)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := func() bool {
		sent := 0
		for _, n := range c.published {
			sent += n
		}
		if c.received < sent {
			return false
		}
		for ses, version := range c.settled {
			if ses.Version() != version {
				return false
			}
		}
		return len(c.settled) > 0
	}
	for !rest() {
		if time.Now().After(deadline) {
			c.t.Fatal("the server does not come to rest")
		}
		c.cond.Wait()
	}
}

func (c *client) path(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

func (c *client) open(name string) {
	c.t.Helper()
	path := c.path(name)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	c.texts[path], c.versions[path] = buffer.New(string(b)), 1
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": pathURI(path), "languageId": "toml", "version": 1, "text": string(b)}})
}

// replace changes a range of an open file.
func (c *client) replace(path string, from, to int, with string) {
	c.t.Helper()
	text := c.texts[path]
	span := text.Span(from, to)
	next, err := text.Replace(span, with)
	if err != nil {
		c.t.Fatal(err)
	}
	c.versions[path]++
	c.texts[path] = next
	pos := func(p buffer.Point) position { return position{p.Line, text.UTF16(p)} }
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": pathURI(path), "version": c.versions[path]},
		"contentChanges": []any{map[string]any{"range": lspRange{pos(span.Start), pos(span.End)}, "text": with}}})
}

// at finds text with the cursor marked by | in an open file.
func (c *client) at(path, needle string) position {
	c.t.Helper()
	text := c.texts[path]
	if text == nil {
		c.t.Fatalf("%s is not open", path)
	}
	needle = strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(needle)
	mark := strings.LastIndexByte(needle, '|')
	if mark < 0 {
		c.t.Fatalf("no | in %q", needle)
	}
	i := strings.Index(text.S, needle[:mark]+needle[mark+1:])
	if i < 0 {
		c.t.Fatalf("%s has no %q", path, needle)
	}
	p := text.Point(i + mark)
	return position{p.Line, text.UTF16(p)}
}

// shown writes a path or URI without the directory of the test.
func (c *client) shown(s string) string {
	s = strings.ReplaceAll(s, pathURI(c.dir)+"/", "")
	s = strings.ReplaceAll(s, c.dir+string(filepath.Separator), "")
	return strings.ReplaceAll(s, pathURI(filepath.Dir(c.dir)), "..") // another folder
}

func span(r lspRange) string {
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line+1, r.Start.Character+1, r.End.Line+1, r.End.Character+1)
}

// show writes what an edit does, and applies it to the client's texts.
func (c *client) show(w io.Writer, e *workspaceEdit) {
	if e == nil {
		return
	}
	apply := func(uri string, edits []textEdit) {
		path := uriPath(uri)
		fmt.Fprintf(w, "edit %s\n", c.shown(uri))
		text := c.texts[path]
		if text == nil {
			b, _ := os.ReadFile(path)
			text = buffer.New(string(b))
		}
		point := func(p position) buffer.Point { return text.FromUTF16(p.Line, p.Character) }
		slices.SortFunc(edits, func(a, b textEdit) int {
			return text.Offset(point(b.Range.Start)) - text.Offset(point(a.Range.Start))
		})
		now := text.S
		for _, x := range edits {
			from, to := text.Offset(point(x.Range.Start)), text.Offset(point(x.Range.End))
			now = now[:from] + x.NewText + now[to:]
		}
		for _, x := range slices.Backward(edits) {
			from, to := text.Offset(point(x.Range.Start)), text.Offset(point(x.Range.End))
			fmt.Fprintf(w, "  %s %q -> %q\n", span(x.Range), text.S[from:to], x.NewText)
		}
		c.mu.Lock()
		c.files[path] = now
		c.mu.Unlock()
	}
	for _, uri := range slices.Sorted(maps.Keys(e.Changes)) {
		apply(uri, e.Changes[uri])
	}
	for _, ch := range e.DocumentChanges {
		b, _ := json.Marshal(ch)
		var op resourceOperation
		var edit textDocumentEdit
		if json.Unmarshal(b, &op) == nil && op.Kind != "" {
			fmt.Fprintf(w, "%s %s\n", op.Kind, c.shown(strings.TrimSpace(op.URI+" "+op.OldURI+" "+op.NewURI)))
		} else if json.Unmarshal(b, &edit) == nil {
			apply(edit.TextDocument.URI, edit.Edits)
		}
	}
}

// end says goodbye and returns how the server ended.
func (c *client) end() error {
	c.t.Helper()
	var res json.RawMessage
	c.call("shutdown", nil, &res)
	c.notify("exit", nil)
	select {
	case err := <-c.done:
		return err
	case <-time.After(time.Minute):
		return errors.New("the server does not end")
	}
}
