// archive-copy: the WAL that a backup needs, stored in the backup itself (repository-format.md section 3.7).

import BackstopCore

extension BackupCopy {
    /// Adds each segment as `pg_wal/<segment>`, in the encoding of the backup.
    func store(_ segments: [(WALSegment, ArchivedSegment)], _ info: ArchiveInfo, in manifest: inout Manifest) async throws(BackupError) {
        let data = manifest.dataFolder
        for (segment, archived) in segments {
            let name = "\(Manifest.dataName)/\(control.version.walFolder)/\(segment)"
            let codec = try Decoding.codec(ofFile: archived.key.name, repository.registry)
            let size = ByteCount()
            let expect = Expect(try repository.sha1())
            expect.next(digest: archived.sha1, size: UInt64(control.segmentSize))
            let decode = try Decoding(codec: codec, seal: info.seal).steps(.normal)
            let content = try Flow(try await repository.storage.open(archived.key), Chain(decode + [.tap(size), .tap(expect)]))
            var flow = try Flow(BoundedSource(content, atMost: UInt64(control.segmentSize)), Chain(try encoding.steps()))
            let key = Layout.backup(stanza, manifest.label) / (name + encoding.codec.suffix)
            let entry = try await repository.storage.put(key, from: &flow, PutOptions(.bySync))
            var file = Manifest.File(
                name: name, size: size.count, originalSize: size.count, timestamp: manifest.timestampStop,
                mode: (data?.mode ?? 0o700) & 0o644,
                owner: data?.owner ?? Manifest.Owner())
            file.checksum = SHA1Value(archived.sha1)
            file.repositorySize = entry.size
            manifest.files.removeAll { $0.name == name }
            manifest.files.append(file)
        }
        manifest.sort()
    }
}
