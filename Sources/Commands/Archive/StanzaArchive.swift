// A stanza's WAL archive in one repository, opened for the sake of one file.

import BackstopCore

struct StanzaArchive: Sendable {
    let repository: StanzaRepository
    let info: ArchiveInfo
    /// What the archive that the cluster most likely has holds of the file.
    private let foreseen: (archiveID: String, segments: [ArchivedSegment])?

    /// Reads archive.info and, in the same round trip, what is there of the segment `name`: the cluster's version tells the archive's id
    /// unless the stanza was upgraded. All repositories at a time: one far away costs its round trips, not those of the others. The answers
    /// are in the order of `repositories`.
    static func open(
        _ repositories: [StanzaRepository], for name: String, of control: ControlFile?
    ) async -> [Result<StanzaArchive, BackupError>] {
        let guess = control.flatMap { ArchiveFile.isSegment(name) ? Layout.archiveID($0.version, id: 1) : nil }
        return await withTaskGroup(of: (Int, Result<StanzaArchive, BackupError>).self) { group in
            for (index, repository) in repositories.enumerated() {
                group.addTask { (index, await open(repository, name, guess)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func open(
        _ repository: StanzaRepository, _ name: String, _ guess: String?
    ) async -> Result<StanzaArchive, BackupError> {
        // A storage that serves one request at a time would have to connect once more for the second.
        async let listing = list(repository, name, repository.storage.smallAtATime > 1 ? guess : nil)
        do throws(BackupError) {
            let info = try await repository.archiveInfo()
            let isRight = info.history.databases.contains { $0.archiveID == guess }
            return .success(StanzaArchive(repository: repository, info: info, foreseen: isRight ? await listing : nil))
        } catch {
            return .failure(error)
        }
    }

    /// nil when it fails: whoever needs it asks again, and has the error.
    private static func list(
        _ repository: StanzaRepository, _ name: String, _ guess: String?
    ) async -> (archiveID: String, segments: [ArchivedSegment])? {
        guard let guess, let found = try? await ArchiveFile.find(name, repository, guess) else { return nil }
        return (guess, found)
    }

    /// All stored files of the segment that the archive was opened for.
    func find(_ name: String, _ archiveID: String) async throws(BackupError) -> [ArchivedSegment] {
        if let foreseen, foreseen.archiveID == archiveID { return foreseen.segments }
        return try await ArchiveFile.find(name, repository, archiveID)
    }
}
