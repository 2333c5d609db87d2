package render_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"specgraft/components/lock"
	"specgraft/fedora/distgit/gittest"
	"specgraft/render"
)

// slowCalls are the calls of the system that a slow disk answers late.
var slowCalls = []uint32{unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_PREAD64, unix.SYS_GETDENTS64, unix.SYS_NEWFSTATAT,
	unix.SYS_MKDIRAT, unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2}

// slowJob asks the test binary to be a render whose disk is slow.
const slowJob = "SPECGRAFT_SLOW_RENDER"

// A slowRender is a whole run in a process of its own, as the kernel never lets go
// of a filter.
type slowRender struct {
	Project, Cache, Out string
	Jobs                int
	Check               bool
	Delay               time.Duration // of each call; 0 for none
}

// A slowRun is what it came to.
type slowRun struct {
	taken, start, cpu time.Duration // start is what comes before the first component
	slowCounts
}

// slowCounts are what a disk sees.
type slowCounts struct {
	calls, most int           // in all, and at the same time
	sum         time.Duration // of all delays
	alone       time.Duration // in which one call waited and no other
}

// BenchmarkSlowDisk renders with a disk that takes a while for each call, with more
// and more jobs and as many processors for them. Every file that is opened, read in
// pieces, looked at or moved waits, of the repositories, of the cache and of the
// output tree alike. Jobs that never wait for each other take the sum of the delays
// divided by their number; a lock held over a call that waits shows in that ratio,
// and in how many calls waited at the same time. What else there is: the time of the
// processors, of which there are fewer than jobs, and what comes before the first
// component, mostly git, whose calls wait one after the other. It takes a quarter of a minute:
//
//	go test -run '^$' -bench SlowDisk -benchtime 1x ./render
func BenchmarkSlowDisk(b *testing.B) {
	if job := os.Getenv(slowJob); job != "" {
		renderSlowly(b, job)
		return
	}
	dir := scratch(b)
	project := slowProject(b, dir, 32)
	in := func(name string) string { return filepath.Join(dir, name) }
	const delay = time.Millisecond
	var table strings.Builder
	fmt.Fprintf(&table, "%v for each call, %d processors\n\n| run | jobs | calls | sum of delays / jobs | taken | ratio | before the first component | processor time | waiting alone | at the same time |\n|---|---|---|---|---|---|---|---|---|---|\n", delay, runtime.NumCPU())
	for b.Loop() {
		table := &table
		warm := slowRender{Project: project, Cache: in("cache"), Out: in("tree"), Jobs: 4}
		warm.run(b)
		time.Sleep(100 * time.Millisecond) // what was just written is not believed
		warm.run(b)
		for _, kind := range []struct {
			title, cache, out string
			check             bool
		}{
			{"cold", "cold", "fresh", false},
			{"warm, into an empty directory", "cache", "fresh", false},
			{"nothing changed", "cache", "tree", false},
			{"--check", "cache", "tree", true},
		} {
			for _, jobs := range []int{1, 2, 4, 8, 16} {
				os.RemoveAll(in("fresh"))
				os.RemoveAll(in("cold"))
				r := slowRender{project, in(kind.cache), in(kind.out), jobs, kind.check, delay}.run(b)
				ideal := r.sum / time.Duration(jobs)
				fmt.Fprintf(table, "| %s | %d | %d | %.3f s | %.3f s | %.2f | %.3f s | %.3f s | %.3f s | %d |\n", kind.title, jobs, r.calls,
					ideal.Seconds(), r.taken.Seconds(), r.taken.Seconds()/ideal.Seconds(), r.start.Seconds(), r.cpu.Seconds(), r.alone.Seconds(), r.most)
			}
		}
	}
	fmt.Printf("\n\n%s\n", table.String())
}

// slowProject makes a project of n components, each with a repository of its own.
func slowProject(b *testing.B, dir string, n int) string {
	b.Helper()
	config := `[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor.versions.1]
release-ver = "1"
default-component-config.spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43" } }
[distros.fedora]
dist-git-base-uri = "file://` + dir + `/rpms/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg/$filename"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
`
	var names, commits []string
	for i := range n {
		name := fmt.Sprintf("%c%d", 'a'+i%13, i)
		config += fmt.Sprintf("[components.%s]\n", name)
		names = append(names, name)
		repo := gittest.New(b, filepath.Join(dir, "rpms", name+".git"))
		var last []int
		for version := range 5 {
			spec := fmt.Sprintf("Name: %s\nVersion: %d\nRelease: %%autorelease\nSummary: A rig\nLicense: MIT\n", name, version)
			var files []gittest.File
			for j := range 3 {
				spec += fmt.Sprintf("Patch%d: %d.patch\n", j, j)
				files = append(files, gittest.File{Path: fmt.Sprintf("%d.patch", j), Content: gittest.Noise(i*100+version*10+j, 3000)})
			}
			spec += "\n%description\nA rig.\n\n%changelog\n%autochangelog\n"
			last = []int{repo.Commit("f43", 1_700_000_000+version, last, append(files, gittest.File{Path: name + ".spec", Content: spec})...)}
		}
		commits = append(commits, repo.Flush()[repo.Mark])
	}
	project := filepath.Join(dir, "project")
	if err := os.MkdirAll(filepath.Join(project, "locks"), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project, "azldev.toml"), []byte(config), 0o644); err != nil {
		b.Fatal(err)
	}
	gittest.Run(b, project, "", "init", "-q")
	for change := range 3 {
		for i, name := range names {
			sum := fmt.Sprintf("sha256:%064x", change)
			l := lock.Lock{Version: lock.Version, ImportCommit: commits[i], UpstreamCommit: commits[i], InputFingerprint: sum, ResolutionInputHash: sum}
			if err := os.WriteFile(filepath.Join(project, "locks", name+lock.Suffix), l.Bytes(), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		gittest.Run(b, project, "", "add", ".")
		gittest.Run(b, project, "", "commit", "-q", "-m", fmt.Sprint("Change ", change))
	}
	return project
}

// run has the render done in a process of its own and is its disk.
func (s slowRender) run(b *testing.B) slowRun {
	b.Helper()
	job, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkSlowDisk$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), slowJob+"="+string(job), "GOMAXPROCS="+strconv.Itoa(s.Jobs))
	cmd.ExtraFiles = []*os.File{theirs}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	theirs.Close()
	var disk slowDisk
	if s.Delay > 0 {
		rights := make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := unix.Recvmsg(pair[0], make([]byte, 1), rights, 0)
		if err == nil && n > 0 {
			disk.serve(b, rights[:n], s.Delay)
		}
	}
	err = cmd.Wait()
	r := slowRun{slowCounts: disk.slowCounts}
	_, text, _ := strings.Cut(said.String(), "taken ")
	_, perr := fmt.Sscan(text, &r.taken, &r.start, &r.cpu)
	if strings.Contains(said.String(), "NO FILTER") {
		b.Skip("the kernel has no filter that hands calls to another process")
	}
	if err != nil || perr != nil {
		b.Fatalf("%v, %v\n%s", err, perr, said.String())
	}
	return r
}

// renderSlowly is the process that renders.
func renderSlowly(b *testing.B, job string) {
	var s slowRender
	if err := json.Unmarshal([]byte(job), &s); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := load(b, s.Project, s.Cache)
		r.SkipLockValidation = true // nobody made the fingerprints
		names := r.Project.Names()
		if s.Delay > 0 {
			handOverCalls(b)
		}
		start, before := time.Now(), processorTime()
		o, err := render.OpenOutput(s.Out, render.OutputOptions{ReadOnly: s.Check})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Prepare(b.Context(), names, true).Err(); err != nil {
			b.Fatal(err)
		}
		prepared := time.Since(start)
		r.Run(b.Context(), o, names, render.RunOptions{Jobs: s.Jobs, Check: s.Check}, func(o *render.Outcome) {
			if o.Status != render.OK {
				b.Errorf("%s: %s", o.Component, o.Error)
			}
		})
		o.Close()
		r.Close()
		fmt.Printf("taken %d %d %d\n", time.Since(start), prepared, processorTime()-before)
	}
}

// processorTime returns what this process has used.
func processorTime() time.Duration {
	var use unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// handOverCalls has slowCalls of this process wait for a process at the other end
// of descriptor 3.
func handOverCalls(b *testing.B) {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number of the call
	for i, nr := range slowCalls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(slowCalls) - i), K: nr})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the same thread asks for both
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		fmt.Println("NO FILTER", err)
		return
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		fmt.Println("NO FILTER", errno)
		return
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0); err != nil {
		b.Fatal(err)
	}
	unix.Close(int(fd))
	unix.Close(3)
}

// A slowDisk answers calls after a delay.
type slowDisk struct {
	mu sync.Mutex
	slowCounts
	waiting int
	last    time.Time // that their number changed
}

// change takes down that calls begin to wait or cease to.
func (d *slowDisk) change(by int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.waiting == 1 {
		d.alone += now.Sub(d.last)
	}
	d.sum += time.Duration(d.waiting) * now.Sub(d.last)
	d.waiting, d.last = d.waiting+by, now
	d.calls += max(by, 0)
	d.most = max(d.most, d.waiting)
}

// serve answers all calls of a process until it ends.
func (d *slowDisk) serve(b *testing.B, rights []byte, delay time.Duration) {
	b.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		b.Fatalf("%d messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		b.Fatalf("%d descriptors, %v", len(fds), err)
	}
	listener := fds[0]
	var answers sync.WaitGroup
	defer func() { answers.Wait(); unix.Close(listener) }()
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil || poll[0].Revents&unix.POLLIN == 0 {
			return // nobody is left
		}
		var call struct { // struct seccomp_notif
			id         uint64
			pid, flags uint32
			data       [64]byte
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&call))); errno != 0 {
			continue
		}
		d.change(1)
		answers.Go(func() {
			time.Sleep(delay)
			d.change(-1)
			answer := struct { // struct seccomp_notif_resp
				id    uint64
				val   int64
				err   int32
				flags uint32
			}{id: call.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
			unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer)))
		})
	}
}
