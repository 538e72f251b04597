// Whether all files of a backup may be read, known before the first of them is copied.

import BackstopCore

/// Who reads a cluster, and which of its files he surely may read by their mode and owner. The others are tried: opening each file twice
/// would take long on another host.
struct ReadableFiles {
    /// nil: not known.
    let user: String?
    /// The group of PGDATA, which a reader that is not its owner must belong to.
    let group: String?

    func isDoubtful(_ file: FileAttributes) -> Bool {
        // Whoever owns a file has the rights of the owner, whatever access lists say of others.
        if let user, file.owner.user == user { return file.mode & 0o400 == 0 }
        if let group, file.owner.group == group { return file.mode & 0o040 == 0 }
        return true
    }

    /// Names of so many files are told.
    private static let mostNames = 5

    /// Throws `.fileOpen` (41) when there are files that may not be read. What vanishes meanwhile is no trouble.
    func check(_ files: [ListedFile], _ cluster: ClusterFiles) async throws(BackupError) {
        var refused: [BackupError] = []
        var count = 0
        for file in files where isDoubtful(file.attributes) {
            do throws(BackupError) {
                var source = try await cluster.tree.open(clusterKey(file.name.text), range: 0..<1)
                _ = try await source.readAll()
            } catch  where error.code == .denied || error.code == .fileOpen {
                count += 1
                if refused.count < Self.mostNames { refused.append(error) }
            } catch  where error.code == .notFound {}
        }
        guard let first = refused.first else { return }
        throw BackupError(
            .fileOpen,
            count == 1
                ? first.message
                : "\(count) files of the cluster cannot be read:\n" + refused.map(\.message).joined(separator: "\n")
                    + (count > refused.count ? "\n…" : ""),
            hint: first.hint ?? "check owner and mode, or leave it out with --exclude when the server does not need it.")
    }
}
