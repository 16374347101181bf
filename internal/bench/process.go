package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process used so far, by the kernel's books.
type Usage struct {
	CPU      time.Duration // of all its threads, user and system, to the nanosecond
	Switches int64         // context switches of all its threads, wanted and not
	RSS      int64         // resident octets now
	PeakRSS  int64         // and at most
}

// Sub is what was used between an earlier reading and u; RSS stays u's.
func (u Usage) Sub(earlier Usage) Usage {
	u.CPU -= earlier.CPU
	u.Switches -= earlier.Switches
	return u
}

// ReadUsage reads a process's books under /proc (Linux alone has them). Threads
// that ended are not counted; Go's do not.
func ReadUsage(pid int) (Usage, error) {
	var u Usage
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		return u, fmt.Errorf("no process %d under /proc", pid)
	}
	for _, task := range tasks {
		if b, err := os.ReadFile(filepath.Join(task, "schedstat")); err == nil {
			if f := strings.Fields(string(b)); len(f) > 0 {
				ns, _ := strconv.ParseInt(f[0], 10, 64)
				u.CPU += time.Duration(ns)
			}
		}
		b, _ := os.ReadFile(filepath.Join(task, "status"))
		u.Switches += field(b, "voluntary_ctxt_switches") + field(b, "nonvoluntary_ctxt_switches")
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	u.RSS, u.PeakRSS = field(b, "VmRSS")<<10, field(b, "VmHWM")<<10
	return u, err
}

// field reads one number of a /proc status file; 0 where it is absent.
func field(status []byte, name string) int64 {
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}
