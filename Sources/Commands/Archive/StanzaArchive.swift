// A stanza's WAL archive in one repository, opened for the sake of one file.

import BackstopCore

struct StanzaArchive: Sendable {
    let repository: Repository
    let info: ArchiveInfo
    private let stanza: String
    /// What the archive that the cluster most likely has holds of the file.
    private let foreseen: (archiveID: String, segments: [ArchivedSegment])?

    /// Reads archive.info and, in the same round trip, what is there of the segment `name`: the cluster's version tells the archive's id
    /// unless the stanza was upgraded. All repositories at a time: one far away costs its round trips, not those of the others. The answers
    /// are in the order of `repositories`.
    static func open(
        _ repositories: [Repository], _ stanza: String, for name: String, of control: ControlFile?, _ log: Log
    ) async -> [Result<StanzaArchive, BackupError>] {
        let guess = control.flatMap { ArchiveFile.isSegment(name) ? Layout.archiveID(version: $0.version.description, id: 1) : nil }
        return await withTaskGroup(of: (Int, Result<StanzaArchive, BackupError>).self) { group in
            for (index, repository) in repositories.enumerated() {
                group.addTask { (index, await open(repository, stanza, name, guess, log)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func open(
        _ repository: Repository, _ stanza: String, _ name: String, _ guess: String?, _ log: Log
    ) async -> Result<StanzaArchive, BackupError> {
        // A storage that serves one request at a time would have to connect once more for the second.
        async let listing = list(repository, stanza, name, repository.storage.smallAtATime > 1 ? guess : nil)
        do throws(BackupError) {
            let info = try await ArchiveInfo.required(repository, stanza, log)
            let isRight = info.history.databases.contains { $0.archiveID == guess }
            return .success(StanzaArchive(repository: repository, info: info, stanza: stanza, foreseen: isRight ? await listing : nil))
        } catch {
            return .failure(error)
        }
    }

    /// nil when it fails: whoever needs it asks again, and has the error.
    private static func list(
        _ repository: Repository, _ stanza: String, _ name: String, _ guess: String?
    ) async -> (archiveID: String, segments: [ArchivedSegment])? {
        guard let guess, let found = try? await ArchiveFile.find(name, repository, stanza, guess) else { return nil }
        return (guess, found)
    }

    /// All stored files of the segment that the archive was opened for.
    func find(_ name: String, _ archiveID: String) async throws(BackupError) -> [ArchivedSegment] {
        if let foreseen, foreseen.archiveID == archiveID { return foreseen.segments }
        return try await ArchiveFile.find(name, repository, stanza, archiveID)
    }
}

extension ArchiveInfo {
    /// Loads it or says what to do when there is none.
    static func required(_ repository: Repository, _ stanza: String, _ log: Log) async throws(BackupError) -> ArchiveInfo {
        guard let info = try await load(repository, stanza, log) else {
            throw BackupError(
                .fileMissing,
                "\(repository.name): '\(repository.storage.location)/\(Layout.archiveInfo(stanza))' does not exist, nor does its copy",
                hint: "archive.info cannot be opened but is required to push/get WAL segments."
                    + "\nhas a stanza-create been performed?"
                    + "\nuse --stanza to name another stanza, --\(repository.name)-path another repository.")
        }
        return info
    }
}
