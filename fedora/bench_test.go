package fedora

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// benchRepo is a package of usual size: a spec, some patches, a directory.
func benchRepo(b *testing.B) (*testRepo, string) {
	r := newTestRepo(b, filepath.Join(b.TempDir(), "r.git"))
	files := []testFile{{path: "pkg.spec", content: noise(0, 6000)}, {path: "sources", content: noise(1, 200)}, {path: ".gitignore", content: "*.tar\n"}}
	for i := range 5 {
		files = append(files, testFile{path: fmt.Sprintf("fix-%d.patch", i), content: noise(i, 2000)})
	}
	r.commit("f43", 1_600_000_000, nil, files...)
	return r, r.flush()[1]
}

// BenchmarkWarm resolves a snapshot and reads the spec of a package that an
// earlier run has read: what a second render pays per component.
func BenchmarkWarm(b *testing.B) {
	r, _ := benchRepo(b)
	s := openStore(b, Options{})
	req := Request{URL: r.url(), Branch: "f43", Snapshot: time.Unix(1_700_000_000, 0)}
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
		id, err := s.Resolve(b.Context(), Request{URL: r.url(), Branch: "f43", Snapshot: time.Unix(1_700_000_000, 0)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Snapshot(b.Context(), r.url(), id); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkHistory walks 5,000 commits with the tree of each and a spec that
// changes in every fifth, as the release computation does.
func BenchmarkHistory(b *testing.B) {
	r := newTestRepo(b, filepath.Join(b.TempDir(), "r.git"))
	for i := range 5000 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.commit("f43", 1_600_000_000+i, p, testFile{path: "pkg.spec", content: noise(i/5, 3000)}, testFile{path: fmt.Sprint("p", i%20), content: fmt.Sprint(i)})
	}
	r.flush()
	b.ReportAllocs()
	for b.Loop() {
		repo, err := OpenWorktree(b.Context(), r.dir)
		if err != nil {
			b.Fatal(err)
		}
		id, err := repo.Head()
		commits, last := 0, ""
		for ; err == nil && id != ""; commits++ {
			var c *Commit
			if c, err = repo.Commit(id); err != nil {
				break
			}
			var e TreeEntry
			if e, err = repo.Entry(c.Tree, "pkg.spec"); err != nil {
				break
			}
			if e.ID != last {
				last = e.ID
				_, err = repo.Blob(e.ID)
			}
			id = strings.Join(c.Parents, "")
		}
		if err != nil || commits != 5000 {
			b.Fatal(commits, err)
		}
		repo.Close()
	}
}

// BenchmarkPathLog lists the log of 2,000 lock files over 1,000 commits.
func BenchmarkPathLog(b *testing.B) {
	r := newTestRepo(b, filepath.Join(b.TempDir(), "r.git"))
	var all []testFile
	for i := range 2000 {
		all = append(all, testFile{path: fmt.Sprintf("locks/%d.lock", i), content: "0"})
	}
	r.commit("main", 1_600_000_000, nil, all...)
	for i := range 1000 {
		r.commit("main", 1_600_000_001+i, []int{i + 1}, testFile{path: fmt.Sprintf("locks/%d.lock", i*7%2000), content: fmt.Sprint(i + 1)})
	}
	head := r.flush()[1001]
	repo, err := OpenWorktree(b.Context(), r.dir)
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	b.ReportAllocs()
	for b.Loop() {
		logs, err := repo.PathLog(b.Context(), head, "locks")
		if err != nil || len(logs) != 2000 {
			b.Fatal(len(logs), errors.Join(err))
		}
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
				runGit(b, dir, "", "init", "-q", "--bare", at)
				runGit(b, at, "", "fetch", "-q", "--no-tags", server.url+"/"+name, "+refs/heads/f43:refs/heads/f43")
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
		server.repo(b, name).history("f43", 0, 20)
		names = append(names, name+".git")
	}
	return server, names
}
