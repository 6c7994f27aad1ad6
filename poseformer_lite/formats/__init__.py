"""Motion capture, keypoints and arrays as files: text and npz in, arrays out, and out again."""
