import { createdAtColumn, nameColumn } from '../../columns/columns.ts';
import { cleanupFinalizer, newStatus, statusOnUpdate } from '../../custom/definition-status.ts';
import { defineKind } from '../../kind.ts';
import { prepareDefinition } from '../../prepare/custom-resource-definition.ts';
import { definitionSchema } from '../../types/custom-resource-definition.ts';
import { validateDefinition, validateDefinitionStatus } from '../../validation/custom-resource-definition.ts';

export const CustomResourceDefinition = defineKind(definitionSchema, {
  group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition', plural: 'customresourcedefinitions', shortNames: ['crd', 'crds'],
  categories: ['api-extensions'], scope: 'Cluster', subresources: { status: true },
  updateNamesVersion: true,
  columns: [nameColumn, createdAtColumn],
  prepare: prepareDefinition,
  initialStatus: newStatus,
  statusOnUpdate,
  deletionFinalizer: cleanupFinalizer,
  validate: validateDefinition,
  validateStatus: validateDefinitionStatus,
});
