package fat32

import (
	"errors"
	"fmt"
)

// Limits of FAT32 (FAT §3.5). A volume with fewer clusters is taken for FAT16.
const (
	minClusters = 65525
	maxClusters = 0x0ffffff5 // entries from 0x0ffffff7 on have other meanings

	maxClusterBytes = 32 << 10
	minReserved     = 32 // sectors in front of the first FAT, as usual
	fatCopies       = 2
	rootCluster     = 2
	entryBytes      = 4 // one FAT entry
)

// ErrGeometry says that no FAT32 volume of such a size is possible.
var ErrGeometry = errors.New("unusable FAT32 geometry")

// geometry is where the parts of a volume lie. Sizes are in sectors unless
// the name says otherwise.
type geometry struct {
	sectorBytes    int64
	totalSectors   int64
	reserved       int64
	fats           int64 // number of FATs
	fatSectors     int64 // of one FAT
	clusterSectors int64
	clusters       int64 // data clusters; they are numbered from 2
}

func (g geometry) clusterBytes() int64 { return g.clusterSectors * g.sectorBytes }
func (g geometry) fatOffset(copy int64) int64 {
	return (g.reserved + copy*g.fatSectors) * g.sectorBytes
}
func (g geometry) dataOffset() int64 { return g.fatOffset(g.fats) }

// inRange says whether n is the number of a data cluster.
func (g geometry) inRange(n uint32) bool {
	return n >= rootCluster && int64(n)-rootCluster < g.clusters
}

func (g geometry) clusterOffset(n uint32) int64 {
	return g.dataOffset() + (int64(n)-rootCluster)*g.clusterBytes()
}

// clustersFor is how many clusters hold n bytes.
func (g geometry) clustersFor(n int64) int64 { return ceilDiv(n, g.clusterBytes()) }

func ceilDiv(n, unit int64) int64 { return (n + unit - 1) / unit }

// newGeometry chooses the cluster size: the one that Microsoft recommends for the
// volume size (FAT §3.5), smaller where the volume would otherwise have too few clusters.
func newGeometry(sizeBytes int64, sectorBytes int) (geometry, error) {
	if sectorBytes != 512 && sectorBytes != 4096 {
		return geometry{}, fmt.Errorf("%w: sectors of %d bytes; 512 or 4096 are possible", ErrGeometry, sectorBytes)
	}
	for cluster := max(recommendedCluster(sizeBytes), int64(sectorBytes)); cluster >= int64(sectorBytes); cluster /= 2 {
		g := layOut(sizeBytes, int64(sectorBytes), cluster)
		if g.totalSectors >= 1<<32 || g.clusters > maxClusters {
			return geometry{}, fmt.Errorf("%w: %d bytes is too large", ErrGeometry, sizeBytes)
		}
		if g.clusters >= minClusters {
			return g, nil
		}
	}
	return geometry{}, fmt.Errorf("%w: %d bytes in sectors of %d is too small, about %d MiB are needed",
		ErrGeometry, sizeBytes, sectorBytes, (minClusters*int64(sectorBytes))>>20+2)
}

func recommendedCluster(sizeBytes int64) int64 {
	switch {
	case sizeBytes <= 260<<20:
		return 512
	case sizeBytes <= 8<<30:
		return 4 << 10
	case sizeBytes <= 16<<30:
		return 8 << 10
	case sizeBytes <= 32<<30:
		return 16 << 10
	}
	return maxClusterBytes
}

// layOut places the FATs and the data. The reserved area is made so long that
// the data start at a multiple of the cluster size.
func layOut(sizeBytes, sectorBytes, clusterBytes int64) geometry {
	g := geometry{
		sectorBytes:    sectorBytes,
		totalSectors:   sizeBytes / sectorBytes,
		clusterSectors: clusterBytes / sectorBytes,
		fats:           fatCopies,
	}
	// One FAT must have an entry for each cluster that is left beside it. An
	// upper bound of the count is enough: a few entries may go unused.
	most := (g.totalSectors-minReserved)/g.clusterSectors + rootCluster
	g.fatSectors = ceilDiv(max(most, 0)*entryBytes, sectorBytes)
	meta := minReserved + fatCopies*g.fatSectors
	g.reserved = minReserved + ceilDiv(meta, g.clusterSectors)*g.clusterSectors - meta
	g.clusters = (g.totalSectors - g.reserved - fatCopies*g.fatSectors) / g.clusterSectors
	return g
}
