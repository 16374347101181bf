package cli

import (
	"tidings/store/cache"
	"tidings/ui"
)

// The screen asks its cache for orders and conversations if it can tell them;
// this one can.
var _ ui.Sorter = (*cache.Cache)(nil)
