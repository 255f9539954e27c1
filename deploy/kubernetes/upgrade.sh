#!/bin/sh
# Applies an overlay whose images are a new version's, while searches run.
#   deploy/kubernetes/upgrade.sh deploy/kubernetes/overlays/gpu
# Workers write checkpoints and leave, the first new pod of the API migrates, the others follow, and workers start again: searches go on.
# Take a backup before (docs/operations.md). When it stops half-way, run it again: each part may be done twice.
set -eu
overlay=${1:?name the overlay, such as deploy/kubernetes/overlays/gpu}
namespace=${NAMESPACE:-dna}

in_it() { kubectl --namespace "$namespace" "$@"; }

# Who scales by itself would start old ones again; a cluster without KEDA has no such thing. Deployments that nobody scales get their number back by the overlay.
scaled=$(in_it get scaledobject worker-gpu --ignore-not-found --output name 2>/dev/null || true)
if [ -n "$scaled" ]; then
    in_it annotate --overwrite "$scaled" autoscaling.keda.sh/paused-replicas=0
fi
for deployment in $(in_it get deployment --output name | grep '/worker-'); do
    in_it scale --replicas=0 "$deployment"
done
in_it wait --for=delete pod --selector dna-automl/role=worker --timeout=180s

in_it apply -k "$overlay"
in_it rollout status deployment/api --timeout=900s
if [ -n "$scaled" ]; then
    in_it annotate --overwrite "$scaled" autoscaling.keda.sh/paused-replicas-
fi
for deployment in $(in_it get deployment --output name | grep '/worker-'); do
    # What an autoscaler has the number of is not in the overlay; from 0 a plain one begins with nothing.
    if [ "$(in_it get "$deployment" --output jsonpath='{.spec.replicas}')" = 0 ] && [ -z "$scaled" ]; then
        in_it scale --replicas=1 "$deployment"
    fi
    in_it rollout status "$deployment" --timeout=900s
done
