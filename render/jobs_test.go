package render

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"specgraft/overlay"
)

// meeting is where n goroutines wait for each other; it fails when not all come
// although they could.
type meeting struct {
	n    int64
	came atomic.Int64
	all  chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{n: int64(n), all: make(chan struct{})} }

func (m *meeting) wait() error {
	if m.came.Add(1) == m.n {
		close(m.all)
	}
	select {
	case <-m.all:
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("%d of %d got here at the same time", m.came.Load(), m.n)
	}
}

// TestJobsOverlap holds that no component waits for another one's input or output:
// all jobs are in the middle of reading what they write at the same time, also
// below the same letter.
func TestJobsOverlap(t *testing.T) {
	t.Parallel()
	for _, jobs := range []int{2, 4, 8, 16} {
		out, err := OpenOutput(filepath.Join(t.TempDir(), "specs"), OutputOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m := newMeeting(jobs)
		var group sync.WaitGroup
		for i := range jobs {
			group.Go(func() {
				name := fmt.Sprintf("%c%d", 'a'+i%2, i)
				f := overlay.LazyFile(name+".spec", 0o644, 1, func() ([]byte, error) { return []byte("x"), m.wait() })
				if _, err := out.Write(name, []*overlay.File{f}); err != nil {
					t.Errorf("%d jobs: %v", jobs, err)
				}
			})
		}
		group.Wait()
		out.Close()
	}
}

// TestSlowReader holds that all components are done while the first one's outcome
// is still being printed.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const n, jobs = 20, 4
	done := make(chan struct{})
	var brought atomic.Int64
	s := newSequence(n, func(o *Outcome) {
		if o.Component != "0" {
			return
		}
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Errorf("%d of %d were brought while one was printed", brought.Load(), n)
		}
	})
	var next atomic.Int64
	var group sync.WaitGroup
	for range jobs {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if brought.Add(1) == n {
					close(done)
				}
				s.put(i, &Outcome{Component: fmt.Sprint(i)})
			}
		})
	}
	group.Wait()
	if s.next != n {
		t.Errorf("%d of %d were printed", s.next, n)
	}
}

// BenchmarkJobs writes components whose content takes a while to come, as from a
// slow disk, with more and more jobs. What is left of the time with many is what
// limits: the processors, as nothing waits for anything else.
func BenchmarkJobs(b *testing.B) {
	const components, delay = 64, 2 * time.Millisecond
	for _, jobs := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint(jobs), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(jobs))
			r := &Renderer{}
			for b.Loop() {
				out, err := OpenOutput(filepath.Join(b.TempDir(), "specs"), OutputOptions{})
				if err != nil {
					b.Fatal(err)
				}
				s := newSequence(components, func(*Outcome) {})
				var next atomic.Int64
				var group sync.WaitGroup
				start := time.Now()
				for range jobs {
					group.Go(func() {
						for i := int(next.Add(1)) - 1; i < components; i = int(next.Add(1)) - 1 {
							name := fmt.Sprintf("c%d", i)
							f := overlay.LazyFile(name+".spec", 0o644, 1, func() ([]byte, error) {
								time.Sleep(delay)
								return []byte("x"), nil
							})
							o := &Outcome{Component: name, Status: OK}
							r.settle(out, o, []*overlay.File{f}, RunOptions{})
							s.put(i, o)
						}
					})
				}
				group.Wait()
				b.ReportMetric(float64(time.Since(start))/float64(components*delay/time.Duration(jobs)), "x-ideal")
				out.Close()
			}
		})
	}
}
