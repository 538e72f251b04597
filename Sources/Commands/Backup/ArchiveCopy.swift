// archive-copy: the WAL that a backup needs, stored in the backup itself (repository-format.md section 3.7).

import BackstopCore

extension BackupRun {
    /// Stores each segment as `pg_wal/<segment>`, in the coding of the backup.
    func store(
        _ segments: [(WALSegment, ArchivedSegment)], _ info: ArchiveInfo, timestamp: Int64, _ attributes: FileAttributes
    ) async throws(BackupError) -> [StoredFile] {
        var stored: [StoredFile] = []
        for (segment, archived) in segments {
            let name = ManifestName("\(Manifest.dataName)/\(control.version.walFolder)/\(segment)")
            let size = ByteCount()
            let expect = Expect(try repository.sha1())
            expect.next(digest: archived.sha1, size: UInt64(control.segmentSize))
            let decode = try ObjectCoding(ofFile: archived.key.name, repository.registry, info.seal).decoder(.normal)
            let content = try Flow(try await repository.storage.open(archived.key), Chain(decode + [.tap(size), .tap(expect)]))
            var flow = try Flow(BoundedSource(content, atMost: UInt64(control.segmentSize)), Chain(try coding.encoder()))
            let entry = try await repository.storage.put(key(name, coding.codec.suffix), from: &flow, PutOptions(.bySync))
            var file = StoredFile(name, size: size.count, timestamp: timestamp, attributes)
            file.checksum = SHA1Value(archived.sha1)
            file.repositorySize = entry.size
            stored.append(file)
        }
        return stored
    }
}
