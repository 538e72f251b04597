// archive-push: one file of the WAL into every repository, durable before success is told (repository-format.md section 9.3).

import BackstopCore

enum ArchivePush {
    static func run(_ context: RunContext) async throws(BackupError) {
        let file = WALFile(try ServerPath.absolute(context.positional[0], context.options), in: context.openTree(""))
        if let limit = context.options[ArchiveOptions.pushQueueMax], try await overflows(file, UInt64(limit), context) {
            context.log.warn("dropped WAL file '\(file.name)' because archive queue exceeded \(roundedSize(UInt64(limit)))")
            return
        }
        guard try await file.tree.stat(file.key)?.kind == .file else {
            throw BackupError(
                .fileMissing, "WAL file '\(file.path)' does not exist", hint: "archive_command must pass the path of the file: %p")
        }
        let targets = try await ArchiveTargets.open(context)
        let failures =
            ArchiveFile.isSegment(file.name)
            ? try await SegmentPush(file, targets, PushSettings(context)).run()
            : try await PlainPush(file, targets, context.log).run()
        guard failures.isEmpty else {
            throw BackupError(.commandFailed, "archive-push command encountered error(s):\n" + failures.joined(separator: "\n"))
        }
        context.log.info("pushed WAL file '\(file.name)' to the archive")
    }

    /// Whether more than `limit` bytes of WAL wait, so that WAL is to be dropped to save the disk.
    private static func overflows(_ file: WALFile, _ limit: UInt64, _ context: RunContext) async throws(BackupError) -> Bool {
        let tree = context.openTree("/" + file.key.parent.path)
        let ready = try await tree.list(Key("archive_status")).filter { $0.key.path.hasSuffix(".ready") }
        guard let first = ready.first else { return false }
        let size = try await tree.stat(Key(String(first.key.name.dropLast(6))))?.size ?? 0
        return size * UInt64(ready.count) > limit
    }
}

extension ArchivePush {
    static let command = Command(
        CommandSpec(
            "archive-push", "WAL archive", "put a WAL segment into all repositories",
            "Goes into archive_command as: archive-push %p. A segment that is there already with the same content is fine."
        ) {
            $0.positional = [CommandSpec.Positional("WAL-PATH")]
        },
        repositories: .all, respectsStop: true, run: run)
}
