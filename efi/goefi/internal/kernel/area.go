package kernel

// access says what a part of the address space is good for. What may be written is backed with memory on first touch.
type access uint8

const (
	none   access = iota // reserved only
	sparse               // backed by single pages: the runtime's metadata, large and mostly never touched
	blocky               // backed by whole blocks where they fit: the heap
)

// area is part of the address space.
type area struct {
	start, end uintptr
	access     access
}

// maxAreas bounds the areas. A Go program has about thirty, since neighbours of the same kind are one. A power of two.
const maxAreas = 256

// areas are all that mmap has given, by address, without overlaps.
type areas struct {
	n    int
	list [maxAreas]area
}

// at is the i-th area; the modulus tells the compiler that it exists.
func (a *areas) at(i int) *area { return &a.list[uint(i)%maxAreas] }

// search returns the index of the first area that ends above addr.
func (a *areas) search(addr uintptr) int {
	low, high := 0, a.n
	for low < high {
		if mid := (low + high) / 2; a.at(mid).end <= addr {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// find returns the area that addr lies in; its access is none if there is no such area.
func (a *areas) find(addr uintptr) area {
	if i := a.search(addr); i < a.n && a.at(i).start <= addr {
		return *a.at(i)
	}
	return area{}
}

// overlaps reports whether any area has a byte of the range.
func (a *areas) overlaps(start, end uintptr) bool {
	i := a.search(start)
	return i < a.n && a.at(i).start < end
}

// gap finds n free bytes between low and high, aligned; 0 if there are none.
func (a *areas) gap(low, high, n, align uintptr) uintptr {
	start := roundUp(low, align)
	for i := a.search(low); i < a.n; i++ {
		if start+n <= a.at(i).start {
			break
		}
		start = max(start, roundUp(a.at(i).end, align))
	}
	if start+n < start || start+n > high {
		return 0
	}
	return start
}

// insert adds a range that overlaps nothing. It fails if there are too many areas.
func (a *areas) insert(start, end uintptr, access access) bool {
	i := a.search(start)
	below := i > 0 && a.at(i-1).end == start && a.at(i-1).access == access
	above := i < a.n && a.at(i).start == end && a.at(i).access == access
	switch {
	case below && above:
		a.at(i - 1).end = a.at(i).end
		a.drop(i)
	case below:
		a.at(i - 1).end = end
	case above:
		a.at(i).start = start
	default:
		return a.open(i, area{start, end, access})
	}
	return true
}

// remove takes a range out of all areas. It fails, with nothing changed, if there are too many areas.
func (a *areas) remove(start, end uintptr) bool {
	i := a.search(start)
	if i < a.n && a.at(i).start < start && a.at(i).end > end {
		rest := area{end, a.at(i).end, a.at(i).access}
		if !a.open(i+1, rest) {
			return false
		}
		a.at(i).end = start
		return true
	}
	if i < a.n && a.at(i).start < start {
		a.at(i).end = start
		i++
	}
	for i < a.n && a.at(i).end <= end {
		a.drop(i)
	}
	if i < a.n && a.at(i).start < end {
		a.at(i).start = end
	}
	return true
}

// open makes room for an area at index i.
func (a *areas) open(i int, with area) bool {
	if a.n == maxAreas {
		return false
	}
	for j := a.n; j > i; j-- {
		*a.at(j) = *a.at(j - 1)
	}
	*a.at(i) = with
	a.n++
	return true
}

// drop removes the area at index i.
func (a *areas) drop(i int) {
	a.n--
	for j := i; j < a.n; j++ {
		*a.at(j) = *a.at(j + 1)
	}
}
