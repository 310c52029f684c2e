package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/esp/fat32"
)

// payload lists all files and directories below dir, symbolic links followed
// to files. Anything that FAT cannot hold is an error.
func payload(dir string) ([]fat32.File, error) {
	if st, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("read payload: %s is not a folder", dir)
	}
	var files []fat32.File
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			files = append(files, fat32.File{Path: filepath.ToSlash(rel) + "/"})
			return nil
		}
		f, err := hostFile(name, filepath.ToSlash(rel))
		files = append(files, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	return files, nil
}
