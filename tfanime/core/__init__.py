"""What every stage stands on: files, images, labels, seeds. Imports no other package of tfanime."""
