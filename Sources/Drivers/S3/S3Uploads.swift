// Uploads that were begun and neither completed nor aborted: what a killed run leaves behind.

public import BackstopCore

extension S3Storage {
    public func unfinishedUploads(_ prefix: Key) async throws(BackupError) -> [UnfinishedUpload] {
        let folder = settings.name(prefix)
        let query = [
            (name: "uploads", value: ""), (name: "encoding-type", value: "url"),
            (name: "prefix", value: folder.isEmpty ? "" : "\(folder)/"),
        ]
        var uploads: [UnfinishedUpload] = []
        var marker: [(name: String, value: String)] = []
        var last: String?
        repeat {
            let page = try await page(query + marker, "ListMultipartUploadsResult", prefix)
            for item in page.all("Upload") {
                guard let text = item.text("Key"), let id = item.text("UploadId"),
                    let begun = item.text("Initiated").flatMap({ seconds(iso8601: $0) })
                else { throw BackupError(.corrupt, "unable to list the uploads of '\(shown(prefix))': one lacks its name, number or time") }
                guard let key = settings.key(ofName: try name(text, page)) else { continue }
                uploads.append(UnfinishedUpload(key: key, id: id, begun: begun))
            }
            guard page.text("IsTruncated") == "true", let key = page.text("NextKeyMarker") else { break }
            let id = page.text("NextUploadIdMarker") ?? ""
            guard "\(key) \(id)" != last else {
                throw BackupError(
                    .corrupt, "unable to list the uploads of '\(shown(prefix))': the store does not tell where the listing goes on")
            }
            last = "\(key) \(id)"
            marker = [(name: "key-marker", value: try name(key, page)), (name: "upload-id-marker", value: id)]
        } while true
        return uploads
    }

    public func abort(_ upload: UnfinishedUpload) async throws(BackupError) {
        do throws(BackupError) {
            _ = try await client.send(
                S3Call(
                    method: "DELETE", name: settings.name(upload.key), query: [("uploadId", upload.id)],
                    what: "abort the upload of '\(shown(upload.key))'"))
        } catch {
            if error.code != .notFound { throw error }
        }
    }
}
