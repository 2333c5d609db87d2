package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"specgraft/overlay/diag"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

// A session publishes the diagnostics of one project.
type session struct {
	*editor.Session
	s      *Server
	wake   chan struct{}
	end    context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	sent   map[string]string // what was published last, by URI
	cancel context.CancelFunc

	published int // how often something was sent
}

func newSession(s *Server, e *editor.Session) *session {
	ctx, end := context.WithCancel(s.ctx)
	ses := &session{Session: e, s: s, wake: make(chan struct{}, 1), end: end, done: make(chan struct{}), sent: map[string]string{}}
	if f := s.opt.settled; f != nil {
		f(ses, -1, 0)
	}
	go ses.run(ctx)
	return ses
}

// touch tells that something changed: what is being made of older text stops.
func (ses *session) touch() {
	ses.mu.Lock()
	if ses.cancel != nil {
		ses.cancel()
	}
	ses.mu.Unlock()
	select {
	case ses.wake <- struct{}{}:
	default:
	}
}

// wait returns when the session has ended; its context has been cancelled.
func (ses *session) wait() {
	ses.end()
	<-ses.done
	ses.Close()
}

// clear ends the session and takes back its diagnostics.
func (ses *session) clear() {
	ses.wait()
	for _, uri := range slices.Sorted(maps.Keys(ses.sent)) {
		ses.put(uri, publishParams{URI: uri, Diagnostics: []diagnostic{}})
	}
	if f := ses.s.opt.settled; f != nil {
		f(ses, ses.Version(), ses.published)
	}
}

func (ses *session) run(ctx context.Context) {
	defer close(ses.done)
	first := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-ses.wake:
		}
		if !first && !ses.quiet(ctx, ses.s.opt.Quiet) {
			return
		}
		work, cancel := context.WithCancel(ctx)
		ses.mu.Lock()
		ses.cancel = cancel
		ses.mu.Unlock()
		ses.guard(func() { ses.publish(work, first) })
		first = false
		cancel()
	}
}

// guard keeps a panic to the text that caused it.
func (ses *session) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			ses.s.log("diagnostics of %s: %v", ses.Dir, p)
		}
	}()
	f()
}

// quiet waits until nothing has changed for a while. It is false at the end of
// the session.
func (ses *session) quiet(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ses.wake:
			t.Reset(d)
		case <-t.C:
			return true
		}
	}
}

// publish sends the diagnostics of the project as it is now: at once those that
// come quickly, and when nothing is typed for a while all.
func (ses *session) publish(ctx context.Context, first bool) {
	p := ses.s.progress(ctx, first && ses.Dir != "", "reading "+filepath.Base(ses.Dir))
	snap := ses.Snapshot()
	open := ses.Open()
	// Files of the configuration that are not open have their own problems, too.
	lists := snap.CheckDiagnostics()
	for _, path := range open {
		list := snap.Diagnostics(ctx, path, false)
		if ctx.Err() != nil {
			p.done("")
			return
		}
		lists[path] = list
	}
	ses.send(snap, lists)
	if snap.Project != nil {
		n := len(snap.Project.Names())
		p.done(fmt.Sprintf("%d component%s", n, plural(n)))
	} else {
		p.done("")
	}
	t := time.NewTimer(ses.s.opt.Deep)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return
	case <-t.C:
	}
	p = nil
	for _, path := range open {
		if n := snap.Pending(path); n > 5 {
			p = ses.s.progress(ctx, true, fmt.Sprintf("rendering %d components of %s", n, filepath.Base(path)))
		}
		lists[path] = snap.Diagnostics(ctx, path, true)
		p.done("")
		if ctx.Err() != nil {
			return
		}
		ses.send(snap, lists)
	}
	ses.s.refresh()
	if f := ses.s.opt.settled; f != nil {
		ses.mu.Lock()
		n := ses.published
		ses.mu.Unlock()
		f(ses, snap.Version, n)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// send publishes what differs from what the client has.
func (ses *session) send(snap *editor.Snapshot, lists map[string]diag.List) {
	now := map[string]bool{}
	for path, list := range lists {
		text := snap.TextOf(path)
		if text == nil {
			text = buffer.New("")
		}
		uri, version := pathURI(path), (*int)(nil)
		if d := ses.s.of(uri); d != nil {
			uri = d.uri
			if d.text == text || d.text.S == text.S {
				version = &d.version
			}
		}
		out := make([]diagnostic, 0, len(list))
		for i := range list {
			out = append(out, ses.s.diagnostic(snap, text, &list[i]))
		}
		now[uri] = true
		ses.put(uri, publishParams{URI: uri, Version: version, Diagnostics: out})
	}
	ses.mu.Lock()
	var gone []string
	for uri := range ses.sent {
		if !now[uri] {
			gone = append(gone, uri)
		}
	}
	ses.mu.Unlock()
	for _, uri := range gone {
		ses.put(uri, publishParams{URI: uri, Diagnostics: []diagnostic{}})
	}
}

func (ses *session) put(uri string, p publishParams) {
	b, err := json.Marshal(p)
	if err != nil {
		return
	}
	ses.mu.Lock()
	old, had := ses.sent[uri]
	same := had && old == string(b)
	if len(p.Diagnostics) == 0 && p.Version == nil {
		delete(ses.sent, uri)
		same = !had
	} else {
		ses.sent[uri] = string(b)
	}
	if !same {
		ses.published++
	}
	ses.mu.Unlock()
	if !same {
		ses.s.notify("textDocument/publishDiagnostics", p)
	}
}

// refresh asks the client to ask again for what depends on rendering.
func (s *Server) refresh() {
	s.mu.Lock()
	w := s.client.Capabilities.Workspace
	s.mu.Unlock()
	if w.CodeLens.RefreshSupport {
		go s.ask("workspace/codeLens/refresh", nil)
	}
	if w.SemanticTokens.RefreshSupport {
		go s.ask("workspace/semanticTokens/refresh", nil)
	}
}

// A progress is shown by the client while something takes long. A nil one shows
// nothing.
type progress struct {
	s     *Server
	token any
}

// progress begins to show one, if the client can.
func (s *Server) progress(ctx context.Context, wanted bool, title string) *progress {
	s.mu.Lock()
	can := s.client.Capabilities.Window.WorkDoneProgress
	s.tokens++
	token := fmt.Sprintf("specgraft-%d", s.tokens)
	s.mu.Unlock()
	if !can || !wanted || ctx.Err() != nil {
		return nil
	}
	made := make(chan error, 1)
	go func() { made <- s.ask("window/workDoneProgress/create", map[string]any{"token": token}) }()
	t := time.NewTimer(2 * time.Second)
	defer t.Stop()
	select {
	case err := <-made:
		if err == nil {
			return s.begin(token, title)
		}
	case <-ctx.Done():
	case <-t.C: // a client that does not answer shows no progress
	}
	return nil
}

// begin shows progress under a token that the client knows.
func (s *Server) begin(token any, title string) *progress {
	if token == nil {
		return nil
	}
	s.notify("$/progress", map[string]any{"token": token, "value": map[string]any{"kind": "begin", "title": title}})
	return &progress{s, token}
}

func (p *progress) done(message string) {
	if p == nil {
		return
	}
	v := map[string]any{"kind": "end"}
	if message != "" {
		v["message"] = message
	}
	p.s.notify("$/progress", map[string]any{"token": p.token, "value": v})
}
