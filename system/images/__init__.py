"""The characters: sets of installed packages, folders of IDX files, .npz files; and subsets."""

from system.images.sets import Images, image_source, load_images, source_sha256
from system.images.subsets import stratified

__all__ = ["Images", "image_source", "load_images", "source_sha256", "stratified"]
