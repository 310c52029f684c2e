package fat32

import (
	"errors"
	"path"
)

// dirTask is a directory that is still to be checked. Its chain is taken
// already.
type dirTask struct {
	path   string
	first  uint32
	parent uint32 // what its ".." must say
	depth  int
}

func (d dirTask) root() bool { return d.depth == 0 }

// tree checks all directories and the chains of all files.
func (c *checker) tree() error {
	root := dirTask{path: "/", first: c.f.boot.root}
	if !c.takeDir(root.path, root.first) {
		return nil
	}
	for todo := []dirTask{root}; len(todo) > 0; {
		dir := todo[0]
		entries, err := c.f.readDirectory(dir.first, func(code, text string) { c.report(code, "%s: %s", dir.path, text) })
		switch {
		case errors.Is(err, ErrCorrupt):
			c.report("fat-chain", "%s: %v", dir.path, err)
		case err != nil:
			return err
		}
		todo = append(todo[1:], c.directory(dir, entries)...)
	}
	return nil
}

// directory checks the entries of one directory and returns those below it.
func (c *checker) directory(dir dirTask, entries []dirent) (below []dirTask) {
	c.dotEntries(dir, entries)
	seen := map[string]bool{}
	for i, e := range entries {
		if e.isDot() && i < 2 && !dir.root() {
			continue
		}
		name := path.Join(dir.path, e.name)
		if e.isLabel {
			if !dir.root() || e.first != 0 || e.size != 0 {
				c.report("fat-entry", "%s: a volume label is not possible here", name)
			}
			continue
		}
		for _, key := range uniqueKeys(e) {
			if seen[key] {
				c.report("fat-duplicate", "%s is there twice", name)
			}
			seen[key] = true
		}
		if e.isDir() {
			if e.size != 0 {
				c.report("fat-entry", "directory %s has the size %d", name, e.size)
			}
			if dir.depth == maxDepth {
				c.report("fat-depth", "%s is more than %d directories deep", name, maxDepth)
			} else if c.takeDir(name, e.first) {
				below = append(below, dirTask{path: name, first: e.first, parent: dir.asParent(), depth: dir.depth + 1})
			}
			continue
		}
		c.file(name, e)
	}
	return below
}

// uniqueKeys are the names that no other file of the directory may have.
func uniqueKeys(e dirent) []string {
	if long, short := fold(e.name), e.short.String(); long != short {
		return []string{long, short}
	}
	return []string{fold(e.name)}
}

// asParent is what ".." must say in the directories below (FAT §6.5).
func (d dirTask) asParent() uint32 {
	if d.root() {
		return 0
	}
	return d.first
}

func (c *checker) dotEntries(dir dirTask, entries []dirent) {
	if dir.root() {
		return
	}
	if len(entries) < 2 || entries[0].short != pack(".", "") || entries[1].short != pack("..", "") {
		c.report("fat-dots", "%s does not begin with . and ..", dir.path)
		return
	}
	if entries[0].first != dir.first {
		c.report("fat-dots", "%s: . leads to cluster %d, the directory is at %d", dir.path, entries[0].first, dir.first)
	}
	if entries[1].first != dir.parent {
		c.report("fat-dots", "%s: .. leads to cluster %d, not to %d", dir.path, entries[1].first, dir.parent)
	}
}

// file checks that the chain of a file has exactly the length for its size.
func (c *checker) file(name string, e dirent) {
	if e.size > 0 || e.first != 0 {
		c.takeFile(name, e.first, c.f.clustersFor(e.size))
	}
}

// takeDir marks the clusters of a directory and says whether it can be read.
func (c *checker) takeDir(name string, first uint32) bool {
	_, err := c.f.chain(first, c.f.clustersFor(maxDirBytes), c.take)
	if err != nil {
		c.chainError(name, err)
	}
	return err == nil
}

// takeFile marks the clusters of a file, whose size asks for exactly that many.
func (c *checker) takeFile(name string, first uint32, clusters int64) {
	count, err := c.f.chain(first, clusters, c.take)
	if err != nil {
		c.chainError(name, err)
	} else if count < clusters {
		c.report("fat-size", "%s has %d clusters, its size asks for %d", name, count, clusters)
	}
}

func (c *checker) chainError(name string, err error) {
	switch {
	case errors.Is(err, errUsedTwice):
		c.report("fat-cross-link", "%s: %v", name, err)
	case errors.Is(err, errLongChain):
		c.report("fat-size", "%s has more clusters than it can use", name)
	default:
		c.report("fat-chain", "%s: %v", name, err)
	}
}
