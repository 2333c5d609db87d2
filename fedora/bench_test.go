package fedora

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"specgraft/fedora/distgit/gittest"

	"golang.org/x/sync/errgroup"
)

// benchRepo is a package of usual size: a spec, some patches, a directory.
func benchRepo(b *testing.B) (*gittest.Repo, string) {
	r := gittest.New(b, filepath.Join(b.TempDir(), "r.git"))
	files := []gittest.File{{Path: "pkg.spec", Content: gittest.Noise(0, 6000)}, {Path: "sources", Content: gittest.Noise(1, 200)}, {Path: ".gitignore", Content: "*.tar\n"}}
	for i := range 5 {
		files = append(files, gittest.File{Path: fmt.Sprintf("fix-%d.patch", i), Content: gittest.Noise(i, 2000)})
	}
	r.Commit("f43", 1_600_000_000, nil, files...)
	return r, r.Flush()[1]
}

// BenchmarkWarm resolves a snapshot and reads the spec of a package that an
// earlier run has read: what a second render pays per component.
func BenchmarkWarm(b *testing.B) {
	r, _ := benchRepo(b)
	s := openStore(b, Options{})
	req := Request{URL: r.URL(), Branch: "f43", Snapshot: time.Unix(1_700_000_000, 0)}
	b.ReportAllocs()
	for b.Loop() {
		id, err := s.Resolve(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		snap, err := s.Snapshot(b.Context(), req.URL, id)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := snap.Lookup("pkg.spec").Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCold reads the same from the repository, one git process each time.
func BenchmarkCold(b *testing.B) {
	r, _ := benchRepo(b)
	b.ReportAllocs()
	for b.Loop() {
		s := openStore(b, Options{CacheDir: b.TempDir()})
		id, err := s.Resolve(b.Context(), Request{URL: r.URL(), Branch: "f43", Snapshot: time.Unix(1_700_000_000, 0)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Snapshot(b.Context(), r.URL(), id); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkFetch fetches 24 repositories from a loopback server into an empty
// mirror; BenchmarkGitFetch does the same with git alone. Their ratio is what
// the mirror costs.
func BenchmarkFetch(b *testing.B) {
	server, names := benchServer(b)
	for b.Loop() {
		s := openStore(b, Options{CacheDir: b.TempDir(), AllowHTTP: true})
		var group errgroup.Group
		group.SetLimit(4)
		for _, name := range names {
			group.Go(func() error {
				_, err := s.Fetch(b.Context(), Request{URL: server.url + "/" + name, Branch: "f43"})
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkGitFetch(b *testing.B) {
	server, names := benchServer(b)
	for b.Loop() {
		dir := b.TempDir()
		var group errgroup.Group
		group.SetLimit(4)
		for _, name := range names {
			group.Go(func() error {
				at := filepath.Join(dir, name)
				gittest.Run(b, dir, "", "init", "-q", "--bare", at)
				gittest.Run(b, at, "", "fetch", "-q", "--no-tags", server.url+"/"+name, "+refs/heads/f43:refs/heads/f43")
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchServer(b *testing.B) (*gitServer, []string) {
	server := newGitServer(b)
	var names []string
	for i := range 24 {
		name := fmt.Sprintf("pkg%d", i)
		server.repo(b, name).History("f43", 0, 20)
		names = append(names, name+".git")
	}
	return server, names
}
