// Unfinished uploads of a repository in an object store: what a killed run leaves, which takes room that no listing shows.

import BackstopCore

enum Uploads {
    /// What is older than any run takes is more likely left behind than on its way.
    private static let day: Int64 = 86_400

    /// Tells of those of the stanza, and removes the ones that are as old as --remove-uploads says.
    static func look(after repository: StanzaRepository, _ context: RunContext) async throws(BackupError) {
        guard let storage = repository.storage as? any UploadingStorage else { return }
        let age = context.options[InspectionOptions.removeUploads]?.components
        var uploads: [UnfinishedUpload] = []
        do throws(BackupError) {
            for folder in [repository.layout.archive, repository.layout.backups] { uploads += try await storage.unfinishedUploads(folder) }
        } catch  where age == nil && [.denied, .io, .unsupported, .corrupt, .notFound].contains(error.code) {
            // Not every store has the question, and who may write backups need not be allowed to ask it.
            context.log.info("\(repository.name): whether there are unfinished uploads is not known: \(error.message)")
            return
        }
        let now = unixNow()
        if let age {
            for upload in uploads where now - upload.begun >= age.seconds {
                try await storage.abort(upload)
                context.log.info(
                    "\(repository.name): removed unfinished upload of '\(upload.key)', begun \(localTimeWithZone(upload.begun))")
            }
            uploads.removeAll { now - $0.begun >= age.seconds }
        }
        for upload in uploads {
            context.log.detail("\(repository.name): unfinished upload of '\(upload.key)', begun \(localTimeWithZone(upload.begun))")
        }
        let old = uploads.filter { now - $0.begun >= day }
        if let oldest = old.map(\.begun).min() {
            context.log.warn(
                "\(repository.name) has \(old.count) unfinished uploads that are older than a day, the oldest of \(localTimeWithZone(oldest))"
                    + "\nHINT: remove what killed runs left behind with: \(Program.called) --stanza=\(repository.stanza) --remove-uploads=1d check"
            )
        } else if !uploads.isEmpty {
            context.log.info("\(repository.name) has \(uploads.count) unfinished uploads, which may be those of a running command")
        }
    }
}
