package goefi

const (
	cpuidRandom = 1 << 30 // leaf 1, ECX: RDRAND
	cpuidSeed   = 1 << 18 // leaf 7, EBX: RDSEED

	// randomTries is what Intel recommends for RDRAND (SDM volume 1 §7.3.17.1); RDSEED may need more.
	randomTries = 10
	seedTries   = 100
)

// lastRandom is the latest word. Some processors return one and the same for ever after a suspend.
var lastRandom uint64

// Random returns a word of RDSEED, else of RDRAND. A word equal to the one before counts as a failure.
func (*machine) Random() (word uint64, ok bool) {
	if readCPUID(0).a >= 7 && readCPUID(7).b&cpuidSeed != 0 {
		for range seedTries {
			if word, ok := readSeed(); ok && word != lastRandom {
				lastRandom = word
				return word, true
			}
		}
	}
	if readCPUID(1).c&cpuidRandom != 0 {
		for range randomTries {
			if word, ok := readRandom(); ok && word != lastRandom {
				lastRandom = word
				return word, true
			}
		}
	}
	return 0, false
}

// readRandom and readSeed are RDRAND and RDSEED; ok says whether a word was ready.
func readRandom() (word uint64, ok bool)

func readSeed() (word uint64, ok bool)
