// Where the blocks of a file and their map are stored (repository-format.md sections 4.4 and 6.2).

import BackstopCore

extension Layout {
    /// The object that holds super blocks of a file. `bundle`: 0 when it is one of its own.
    func blocks(of name: ManifestName, _ label: BackupLabel, _ bundle: UInt64) -> Key {
        bundle == 0 ? backup(label) / (name.text + Self.blockSuffix) : self.bundle(label, bundle)
    }
}

extension StanzaRepository {
    /// The object that has the map of a file, and where in it; nil: none, or one that is larger than what was stored of the file.
    func blockMapPlace(of file: StoredFile, _ references: [BackupLabel], in label: BackupLabel) -> (key: Key, range: Range<UInt64>)? {
        guard let size = file.blockMapSize, size <= file.repositorySize, file.blockSize > 0 else { return nil }
        let end = (file.bundle == nil ? 0 : file.bundleOffset) + file.repositorySize
        return (layout.blocks(of: file.name, file.reference.map { references[$0] } ?? label, file.bundle ?? 0), end - size..<end)
    }

    /// The map of a file that is stored in blocks, by which the next backup goes too. `references`: of the manifest of `label`, which has the
    /// entry; `label` is the last. `through`: what reads the neighbours of the map too, and where the last of them ends. Throws `.corrupt` for
    /// what is no map of a file of that size, or is not of what is stored there.
    func blockMap(
        of file: StoredFile, _ references: [BackupLabel], in label: BackupLabel, _ seal: Seal?,
        through neighbours: (reader: NeighbourReader, end: UInt64)? = nil
    ) async throws(BackupError) -> BlockMap {
        let place = blockMapPlace(of: file, references, in: label)
        do throws(BackupError) {
            guard let (key, range) = place else { throw BackupError(.corrupt, "block map is larger than the stored file") }
            let chain = Chain(try seal.decryption(.raw))
            var flow =
                if let neighbours {
                    try Flow(try await neighbours.reader.open(key, range) { neighbours.end }, chain)
                } else {
                    try Flow(try await storage.open(key, range: range), chain)
                }
            let map = try BlockMap(
                try await flow.readAll(), blockSize: file.blockSize, checksumSize: file.blockChecksumSize, references: references.count)
            guard UInt64(map.blocks.count) == (file.size + file.blockSize - 1) / file.blockSize else {
                throw BackupError(.corrupt, "block map has \(map.blocks.count) blocks, which are not those of \(file.size) bytes")
            }
            try map.check(
                own: file.reference ?? references.count - 1, bundle: file.bundle ?? 0,
                (file.bundle == nil ? 0 : file.bundleOffset)..<range.lowerBound, fileSize: file.size, blockSize: file.blockSize)
            return map
        } catch {
            throw error.during(
                "unable to read block map for '\(file.name)' from '\(storage.location)/\(place?.key ?? layout.backup(label))'")
        }
    }
}
