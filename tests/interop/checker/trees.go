package main

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

type treeQuestion struct {
	Entries     [][]byte   `json:"entries"`     // base64
	Sizes       []int64    `json:"sizes"`       // of the trees whose roots are asked for
	Inclusion   [][2]int64 `json:"inclusion"`   // index, size
	Consistency [][2]int64 `json:"consistency"` // first, second
}

type treeAnswer struct {
	Leaves      []tlog.Hash        `json:"leaves"`
	Roots       []tlog.Hash        `json:"roots"`
	Inclusion   []tlog.RecordProof `json:"inclusion"`
	Consistency []tlog.TreeProof   `json:"consistency"`
}

// storedHashes is the flat store that sumdb/tlog keeps a tree in.
type storedHashes []tlog.Hash

func (store storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := []tlog.Hash{}
	for _, index := range indexes {
		if index < 0 || index >= int64(len(store)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		found = append(found, store[index])
	}
	return found, nil
}

// buildTree builds the tree of the entries and answers with its roots and proofs.
func buildTree(question treeQuestion) (treeAnswer, error) {
	answer := treeAnswer{
		Leaves: []tlog.Hash{}, Roots: []tlog.Hash{}, Inclusion: []tlog.RecordProof{}, Consistency: []tlog.TreeProof{},
	}
	store := storedHashes{}
	for index, entry := range question.Entries {
		hashes, err := tlog.StoredHashes(int64(index), entry, store)
		if err != nil {
			return answer, err
		}
		store = append(store, hashes...)
		answer.Leaves = append(answer.Leaves, hashes[0])
	}
	for _, size := range question.Sizes {
		root, err := tlog.TreeHash(size, store)
		if err != nil {
			return answer, err
		}
		answer.Roots = append(answer.Roots, root)
	}
	return answer, addProofs(question, store, &answer)
}

func addProofs(question treeQuestion, store storedHashes, answer *treeAnswer) error {
	for _, each := range question.Inclusion {
		proof, err := tlog.ProveRecord(each[1], each[0], store)
		if err != nil {
			return err
		}
		answer.Inclusion = append(answer.Inclusion, proof)
	}
	for _, each := range question.Consistency {
		proof, err := tlog.ProveTree(each[1], each[0], store)
		if err != nil {
			return err
		}
		answer.Consistency = append(answer.Consistency, proof)
	}
	return nil
}

type proofsQuestion struct {
	Proofs []struct {
		Kind   string      `json:"kind"`
		Number int64       `json:"number"` // index of the leaf, or size of the first tree
		Hash   tlog.Hash   `json:"hash"`   // of the leaf, or root of the first tree
		Size   int64       `json:"size"`
		Root   tlog.Hash   `json:"root"`
		Proof  []tlog.Hash `json:"proof"`
	} `json:"proofs"`
}

// checkProofs answers with what is wrong with each proof: an empty text where nothing is.
func checkProofs(question proofsQuestion) ([]string, error) {
	answers := []string{}
	for _, each := range question.Proofs {
		err := fmt.Errorf("there is no kind %q", each.Kind)
		switch each.Kind {
		case "inclusion":
			err = tlog.CheckRecord(each.Proof, each.Size, each.Root, each.Number, each.Hash)
		case "consistency":
			err = tlog.CheckTree(each.Proof, each.Size, each.Root, each.Number, each.Hash)
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		answers = append(answers, text)
	}
	return answers, nil
}
