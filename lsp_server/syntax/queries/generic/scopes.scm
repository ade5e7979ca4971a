; For languages without a folder of their own: what generic.py does not find by the names of kinds and fields.

; Elixir: definitions are calls.
(call
  target: (identifier) @_def
  (arguments . (call target: (identifier) @name (arguments) @parameters))
  (do_block)? @body
  (#any-of? @_def "def" "defp" "defmacro" "defmacrop")) @function

(call
  target: (identifier) @_def
  (arguments . (identifier) @name)
  (do_block)? @body
  (#any-of? @_def "def" "defp" "defmacro" "defmacrop")) @function

(call
  target: (identifier) @_def
  (arguments . (binary_operator left: (call target: (identifier) @name (arguments) @parameters)))
  (do_block)? @body
  (#any-of? @_def "def" "defp" "defmacro" "defmacrop")) @function

(call
  target: (identifier) @_def
  (arguments . (alias) @name)
  (do_block) @body
  (#any-of? @_def "defmodule" "defprotocol" "defimpl")) @module

; Elm
(value_declaration
  functionDeclarationLeft: (function_declaration_left . (lower_case_identifier) @name)
  body: (_) @body) @function

; Erlang
(fun_decl
  clause: (function_clause
    name: (_) @name
    args: (_) @parameters
    body: (_) @body)) @function

; Fortran
(function (function_statement name: (_) @name parameters: (_)? @parameters)) @function

(subroutine (subroutine_statement name: (_) @name parameters: (_)? @parameters)) @function

(module (module_statement (name) @name)) @module

; Haskell
(function
  name: (_) @name
  patterns: (_)? @parameters
  rhs: (_) @body) @function

; Common Lisp
(defun
  (defun_header
    function_name: (_) @name
    lambda_list: (_) @parameters)) @function

; Make
(rule
  (targets . (word) @name)
  (recipe)? @body) @function

; Objective-C
(function_definition
  type: (_) @returns
  declarator: (function_declarator
    declarator: (identifier) @name
    parameters: (_) @parameters)
  body: (_) @body) @function

(method_definition
  selector: [
    (identifier) @name
    (keyword_selector . (keyword_declarator . keyword: (identifier) @name))
  ] @parameters
  body: (_) @body) @function

; OCaml
(value_definition
  (let_binding
    pattern: (value_name) @name
    (parameter)
    body: (_) @body)) @function

(module_definition
  (module_binding
    name: (_) @name
    body: (_) @body)) @module

; R
(left_assignment
  name: (identifier) @name
  value: (function_definition
    (formal_parameters) @parameters
    (_) @body)) @function

(equals_assignment
  name: (identifier) @name
  value: (function_definition
    (formal_parameters) @parameters
    (_) @body)) @function

; Terraform
(block
  (identifier)
  (string_lit (template_literal) @name)
  .
  (block_start)
  (body) @body) @object

; CodeQL
(memberPredicate (body) @body) @function

(classlessPredicate (body) @body) @function
