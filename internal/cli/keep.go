package cli

import (
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tidings/internal/config"
	"tidings/internal/crash"
	"tidings/internal/message"
	"tidings/internal/xdg"
	"tidings/store/cache"
	"tidings/store/state"
)

// farewell is how much longer the end of the program may take for what the
// caches have not written yet.
const farewell = 75 * time.Millisecond

// keeping is what is kept of an account.
type keeping struct {
	config.Cache
	memory bool         // until the program ends, and not on disk
	state  *state.State // nil: nobody is told twice, for nothing outlives the program
}

// openCache opens an account's cache. What there is to say of it is said once
// sentences has somebody to tell.
func openCache(a config.Account, keep keeping) (*cache.Cache, *sentences, error) {
	said := new(sentences)
	o := cache.Options{Bodies: keep.Bodies, Text: readable, Say: said.say}
	if !keep.memory {
		var err error
		if o.Path, err = cachePath(a); err != nil {
			return nil, nil, err
		}
	}
	return cache.Open(o), said, nil
}

// cachePath is the file of an account's cache.
func cachePath(a config.Account) (string, error) {
	dir, err := xdg.CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, cache.FileName(a.Name, a.User, a.Host, a.Port)), nil
}

// readable is the text of a message, as it is searched.
func readable(data []byte) string {
	var b strings.Builder
	for _, line := range message.Parse(data, false).Lines {
		b.WriteString(line.Text.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// closeCaches closes the caches of accounts, all at once.
func closeCaches(accounts []watched) {
	var closing sync.WaitGroup
	for _, w := range accounts {
		closing.Add(1)
		crash.Go("closing a cache", func() {
			defer closing.Done()
			w.cache.Close(farewell)
		})
	}
	closing.Wait()
}

// sentences waits with what is said until there is somebody to hear it. Any
// goroutine may use it.
type sentences struct {
	mu    sync.Mutex
	early []string
	hear  func(string)
}

func (s *sentences) say(sentence string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hear == nil {
		s.early = append(s.early, sentence)
		return
	}
	s.hear(sentence)
}

// tell has hear called with each sentence, those of the past first.
func (s *sentences) tell(hear func(string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hear = hear
	for _, sentence := range s.early {
		hear(sentence)
	}
	s.early = nil
}
