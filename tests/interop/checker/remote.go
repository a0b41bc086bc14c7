package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight  = 8 // c2sp.org/tlog-tiles: 256 hashes a tile
	bundleWidth = 1 << tileHeight
	answerLimit = 1 << 26
)

type logAnswer struct {
	Origin  string   `json:"origin"`
	Size    int64    `json:"size"`
	Root    string   `json:"root"`
	Signers []string `json:"signers"`
	Entries int64    `json:"entries"` // read, hashed and found in the tree
	Tiles   int      `json:"tiles"`   // fetched and found to belong to the tree
	Proofs  int      `json:"proofs"`  // fetched and found right
}

// served is a log that speaks c2sp.org/tlog-tiles below one address.
type served struct {
	prefix string
	client http.Client
	tiles  map[tlog.Tile]bool // that belong to the tree
}

// checkLog reads the checkpoint, then every entry, and checks it against tiles that were checked against the checkpoint.
func checkLog(prefix string, vkeys []string) (logAnswer, error) {
	log := &served{prefix: strings.TrimSuffix(prefix, "/"), client: http.Client{Timeout: 30 * time.Second}}
	log.tiles = map[tlog.Tile]bool{}
	found, tree, err := log.checkpoint(vkeys)
	if err != nil {
		return found, err
	}
	hashes := tlog.TileHashReader(tree, log)
	if err := log.checkEntries(tree, hashes); err != nil {
		return found, err
	}
	found.Entries, found.Tiles = tree.N, len(log.tiles)
	found.Proofs, err = log.checkServedProofs(tree, hashes)
	return found, err
}

func (log *served) checkpoint(vkeys []string) (found logAnswer, tree tlog.Tree, err error) {
	data, err := log.get("/checkpoint")
	if err != nil {
		return found, tree, err
	}
	verifiers, err := verifiersOf(vkeys)
	if err != nil {
		return found, tree, err
	}
	opened, err := note.Open(data, verifiers)
	if err != nil {
		return found, tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return found, tree, fmt.Errorf("a checkpoint has three lines, not %q", opened.Text)
	}
	size, sizeErr := strconv.ParseInt(lines[1], 10, 64)
	root, rootErr := tlog.ParseHash(lines[2])
	if err := errors.Join(sizeErr, rootErr); err != nil {
		return found, tree, err
	}
	found = logAnswer{Origin: lines[0], Size: size, Root: lines[2], Signers: signersOf(opened)}
	return found, tlog.Tree{N: size, Hash: root}, nil
}

// checkEntries reads all entry bundles and finds each entry's hash where the tree has it.
func (log *served) checkEntries(tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += bundleWidth {
		width := min(bundleWidth, tree.N-first)
		data, err := log.get("/tile/entries/" + tileName(first/bundleWidth, int(width)))
		if err != nil {
			return err
		}
		entries, err := splitBundle(data, int(width))
		if err != nil {
			return err
		}
		indexes := []int64{}
		for offset := range entries {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(offset)))
		}
		wanted, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for offset, entry := range entries {
			if tlog.RecordHash(entry) != wanted[offset] {
				return fmt.Errorf("entry %d is not the one in the tree", first+int64(offset))
			}
		}
	}
	return nil
}

func splitBundle(data []byte, count int) ([][]byte, error) {
	entries := [][]byte{}
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("an entry bundle ends inside an entry")
		}
		length := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(entries) != count {
		return nil, fmt.Errorf("an entry bundle holds %d entries, not %d", len(entries), count)
	}
	return entries, nil
}

// servedProof is what the log's JSON endpoints answer; of both kinds of proof each has its own half.
type servedProof struct {
	Proof      []tlog.Hash `json:"proof"`
	Leaf       tlog.Hash   `json:"leaf_hash"`
	Root       tlog.Hash   `json:"root_hash"`
	FirstRoot  tlog.Hash   `json:"first_root_hash"`
	SecondRoot tlog.Hash   `json:"second_root_hash"`
}

// checkServedProofs holds the log's JSON proofs against those that follow from the tiles.
func (log *served) checkServedProofs(tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	checked := 0
	for _, index := range []int64{0, tree.N / 3, tree.N / 2, tree.N - 1} {
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return checked, err
		}
		answer, err := log.proof(fmt.Sprintf("/proof/inclusion?index=%d&size=%d", index, tree.N))
		if err != nil {
			return checked, err
		}
		if answer.Leaf != leaf[0] || answer.Root != tree.Hash {
			return checked, fmt.Errorf("inclusion of %d: leaf or root are others than in the tree", index)
		}
		if err := tlog.CheckRecord(answer.Proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return checked, fmt.Errorf("inclusion of %d: %w", index, err)
		}
		checked++
	}
	for _, first := range []int64{1, max(1, tree.N/2), max(1, tree.N-1), tree.N} {
		root, err := tlog.TreeHash(first, hashes)
		if err != nil {
			return checked, err
		}
		answer, err := log.proof(fmt.Sprintf("/proof/consistency?first=%d&second=%d", first, tree.N))
		if err != nil {
			return checked, err
		}
		if answer.FirstRoot != root || answer.SecondRoot != tree.Hash {
			return checked, fmt.Errorf("consistency from %d: the roots are others than in the tree", first)
		}
		if err := tlog.CheckTree(answer.Proof, tree.N, tree.Hash, first, root); err != nil {
			return checked, fmt.Errorf("consistency from %d: %w", first, err)
		}
		checked++
	}
	return checked, nil
}

func (log *served) proof(path string) (answer servedProof, err error) {
	data, err := log.get(path)
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(data, &answer)
}

// Height, ReadTiles and SaveTiles make a tlog.TileReader of the log. Its paths leave out the height that sumdb names.
func (log *served) Height() int { return tileHeight }

func (log *served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := [][]byte{}
	for _, tile := range tiles {
		data, err := log.get(fmt.Sprintf("/tile/%d/%s", tile.L, tileName(tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d/%d holds %d bytes, not %d hashes", tile.L, tile.N, len(data), tile.W)
		}
		found = append(found, data)
	}
	return found, nil
}

func (log *served) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for _, tile := range tiles {
		log.tiles[tile] = true
	}
}

// tileName writes a tile's number in groups of three digits, and its width unless it is full.
func tileName(number int64, width int) string {
	name := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		name = fmt.Sprintf("x%03d/%s", number%1000, name)
	}
	if width < bundleWidth {
		name += fmt.Sprintf(".p/%d", width)
	}
	return name
}

func (log *served) get(path string) ([]byte, error) {
	response, err := log.client.Get(log.prefix + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", path, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, answerLimit))
}
