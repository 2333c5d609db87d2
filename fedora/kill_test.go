//go:build unix

package fedora

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestFetchKilled kills a fetch, and all git processes of it, at random moments
// and expects nothing but that the next one goes on.
func TestFetchKilled(t *testing.T) {
	if url := os.Getenv("SPECGRAFT_TEST_FETCH"); url != "" {
		fetchUntilKilled(t, url, os.Getenv("SPECGRAFT_TEST_CACHE"))
		return
	}
	t.Parallel()
	server := newGitServer(t)
	want := map[string]string{}
	for i := range 12 {
		name := fmt.Sprint("pkg", i)
		want[name] = server.repo(t, name).History("f43", 0, 6)[5]
	}
	opt := fetchOptions(t)
	for range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFetchKilled$")
		cmd.Env = append(os.Environ(), "SPECGRAFT_TEST_FETCH="+server.url, "SPECGRAFT_TEST_CACHE="+opt.CacheDir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	}
	verifyClean(t, openStore(t, opt))
	s := openStore(t, opt)
	for name, id := range want {
		url := server.url + "/" + name + ".git"
		if got, err := s.Fetch(t.Context(), Request{URL: url, Branch: "f43", Commit: id}); err != nil || got.Commit != id {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got, err := readSnapshot(t, s, url, id); err != nil || len(got) != 1 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	verifyClean(t, s)
}

// fetchUntilKilled is the process that TestFetchKilled kills.
func fetchUntilKilled(t *testing.T, server, cache string) {
	for {
		s, err := Open(Options{CacheDir: cache, AllowHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				url := fmt.Sprintf("%s/pkg%d.git", server, i)
				if got, err := s.Fetch(t.Context(), Request{URL: url, Branch: "f43", Refresh: i%2 == 0}); err == nil {
					s.Snapshot(t.Context(), url, got.Commit)
				}
			})
		}
		wg.Wait()
		s.Close()
		os.RemoveAll(filepath.Join(cache, "snapshots")) // so that there is always something to do
	}
}
