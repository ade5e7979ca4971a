;;; control.el --- Lets a test look into Emacs.  -*- lexical-binding: t -*-

;; Takes forms, one a line, at the socket that SHARDLIGHT_TEST_SOCKET names, and answers each with a line of JSON.

(require 'json)

(defun control--answer (line)
  "What the form in LINE returns, or the error that it signals."
  (condition-case err
      (with-current-buffer (window-buffer (selected-window))
        (json-encode `((ok . ,(eval (car (read-from-string line)) t)))))
    (error (json-encode `((error . ,(error-message-string err)))))))

(make-network-process
 :name "control" :server t :family 'local :service (getenv "SHARDLIGHT_TEST_SOCKET") :noquery t :coding 'utf-8
 :filter (lambda (process text)
           (let ((lines (split-string (concat (process-get process 'rest) text) "\n")))
             (process-put process 'rest (car (last lines)))
             (dolist (line (butlast lines))
               (process-send-string process (concat (control--answer line) "\n"))))))
