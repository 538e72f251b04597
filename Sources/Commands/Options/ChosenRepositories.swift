// Which of the configured repositories a command works with.

import BackstopCore

extension Options {
    /// Indexes of all configured ones, or just that of `--repo`.
    func chosenRepositories() throws(BackupError) -> [Int] {
        let configured = indexes(.repo)
        guard let chosen = self[GeneralOptions.repo] else { return configured }
        guard configured.contains(chosen) else {
            throw BackupError(
                .optionInvalidValue, "key '\(chosen)' is not valid for '--repo' option",
                hint: "configured repositories: \(configured.map(String.init).joined(separator: ", ")).")
        }
        return [chosen]
    }
}
